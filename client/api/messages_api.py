"""The routes of messages."""

from __future__ import annotations

from typing import Any

from client.api.transport import HttpTransport
from client.attachment import Attachment
from contract import requests, responses


class MessagesApi(HttpTransport):
    """The routes of messages, as one signed-in user calls them."""

    async def send_message(
        self,
        conversation_id: str,
        text: str | None = None,
        *,
        attachment: Attachment | None = None,
        reply_to: str | None = None,
        temp_id: str | None = None,
    ) -> responses.Sent:
        """Send a message. With a `temp_id` the request is retried, and the message stored once.

        Args:
            conversation_id: the conversation.
            text: the content; the caption of an attachment.
            attachment: a file to show.
            reply_to: id of the message that this one replies to.
            temp_id: the client's own id of the message; without it the request is not retried.
        """
        request = requests.SendMessage(
            conversationId=conversation_id, content=text, replyTo=reply_to, tempId=temp_id, **_wire_fields(attachment)
        )
        return await self._request("sendMessage", request, responses.Sent, once=temp_id is None)

    async def set_typing(self, conversation_id: str, typing: bool) -> responses.Done:
        """Announce to the other participants that the user types or has stopped."""
        request = requests.Typing(conversationId=conversation_id, isTyping=typing)
        return await self._request("setTyping", request, responses.Done)

    async def mark_read(
        self, conversation_id: str, *, seq: int | None = None, message_id: str | None = None
    ) -> responses.ReadDone:
        """Mark every message up to one, given by sequence number or id, as read."""
        request = requests.MarkRead(conversationId=conversation_id, seq=seq, messageId=message_id)
        return await self._request("markRead", request, responses.ReadDone)

    async def history(
        self,
        conversation_id: str,
        *,
        limit: int | None = None,
        before: str | None = None,
        cursor: str | None = None,
        after_seq: int | None = None,
        before_seq: int | None = None,
        after_change: int | None = None,
    ) -> responses.HistoryPage:
        """Read a page of history, or fill a gap (`after_seq`, `after_change`)."""
        query = {
            "limit": limit,
            "before": before,
            "cursor": cursor,
            "afterSeq": after_seq,
            "beforeSeq": before_seq,
            "afterChange": after_change,
        }
        path = {"conversationId": conversation_id}
        return await self._request("getHistory", query, responses.HistoryPage, path=path)

    async def edit_message(self, conversation_id: str, message_id: str, text: str) -> responses.Changed:
        """Replace the content of one of the user's own messages."""
        request = requests.EditMessage(conversationId=conversation_id, content=text)
        return await self._request("editMessage", request, responses.Changed, path={"messageId": message_id})

    async def delete_message(self, conversation_id: str, message_id: str) -> responses.Changed:
        """Delete a message."""
        query = {"conversationId": conversation_id}
        return await self._request("deleteMessage", query, responses.Changed, path={"messageId": message_id})


def _wire_fields(attachment: Attachment | None) -> dict[str, Any]:
    if attachment is None:
        return {}
    return {
        "type": attachment.kind,
        "mediaUrl": attachment.url,
        "fileName": attachment.file_name,
        "fileSize": attachment.file_size,
        "duration": attachment.duration,
    }
