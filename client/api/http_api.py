"""The HTTP API, one method a route."""

from __future__ import annotations

from client.api.calls_api import CallsApi
from contract import requests, responses
from contract.models import Role


class Api(CallsApi):
    """The API as one signed-in user calls it. Every method raises a subclass of ApiError, or UnreachableError."""

    # Messages

    async def send_message(self, request: requests.SendMessage) -> responses.Sent:
        """Send a message. With a `tempId` it is repeated until it is known to be stored, and stored once."""
        return await self._call("sendMessage", request, responses.Sent, once=request.tempId is None)

    async def set_typing(self, conversation_id: str, typing: bool) -> responses.Done:
        """Tell the others that the caller is typing, or no longer is."""
        return await self._call(
            "setTyping", requests.Typing(conversationId=conversation_id, isTyping=typing), responses.Done
        )

    async def mark_read(
        self, conversation_id: str, *, seq: int | None = None, message_id: str | None = None
    ) -> responses.ReadDone:
        """Mark everything up to a message, by number or id, as read."""
        request = requests.MarkRead(conversationId=conversation_id, seq=seq, messageId=message_id)
        return await self._call("markRead", request, responses.ReadDone)

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
        return await self._call("getHistory", query, responses.HistoryPage, conversationId=conversation_id)

    async def edit_message(self, conversation_id: str, message_id: str, content: str) -> responses.Changed:
        """Replace the content of an own message."""
        request = requests.EditMessage(conversationId=conversation_id, content=content)
        return await self._call("editMessage", request, responses.Changed, messageId=message_id)

    async def delete_message(self, conversation_id: str, message_id: str) -> responses.Changed:
        """Delete a message."""
        query = {"conversationId": conversation_id}
        return await self._call("deleteMessage", query, responses.Changed, messageId=message_id)

    # Conversations

    async def conversations(self, *, limit: int | None = None, cursor: str | None = None) -> responses.ConversationPage:
        """Read a page of the caller's conversations, newest message first."""
        return await self._call("listConversations", {"limit": limit, "cursor": cursor}, responses.ConversationPage)

    async def open_direct(self, user_id: str) -> responses.DirectAnswer:
        """Find or create the conversation with one other user."""
        return await self._call("openDirect", requests.OpenDirect(userId=user_id), responses.DirectAnswer)

    async def create_group(self, request: requests.CreateGroup) -> responses.GroupAnswer:
        """Create a group; repeated only with a `tempId`."""
        return await self._call("createGroup", request, responses.GroupAnswer, once=request.tempId is None)

    async def conversation(self, conversation_id: str) -> responses.ConversationAnswer:
        """Read one conversation with its members."""
        return await self._call("getConversation", {}, responses.ConversationAnswer, conversationId=conversation_id)

    async def update_group(self, conversation_id: str, request: requests.UpdateGroup) -> responses.GroupAnswer:
        """Change a group's name, description or avatar; null clears."""
        return await self._call("updateGroup", request, responses.GroupAnswer, conversationId=conversation_id)

    async def add_members(self, conversation_id: str, user_ids: list[str]) -> responses.GroupAnswer:
        """Add users to a group."""
        request = requests.AddMembers(userIds=user_ids)
        return await self._call("addMembers", request, responses.GroupAnswer, conversationId=conversation_id)

    async def remove_member(self, conversation_id: str, user_id: str) -> responses.GroupAnswer:
        """Remove a user from a group."""
        return await self._call(
            "removeMember", {}, responses.GroupAnswer, conversationId=conversation_id, userId=user_id
        )

    async def set_role(self, conversation_id: str, user_id: str, role: Role) -> responses.GroupAnswer:
        """Make a member an admin, or an admin a member."""
        return await self._call(
            "setRole",
            requests.SetRole(role=role),
            responses.GroupAnswer,
            conversationId=conversation_id,
            userId=user_id,
        )

    async def leave_group(self, conversation_id: str) -> responses.Done:
        """Leave a group."""
        return await self._call("leaveGroup", requests.EmptyRequest(), responses.Done, conversationId=conversation_id)

    # Users

    async def me(self) -> responses.MeAnswer:
        """Read the caller's own profile."""
        return await self._call("getMe", {}, responses.MeAnswer)

    async def update_me(self, request: requests.UpdateProfile) -> responses.MeAnswer:
        """Change the caller's own profile; null clears."""
        return await self._call("updateMe", request, responses.MeAnswer)

    async def user(self, user_id: str) -> responses.UserAnswer:
        """Read the public part of somebody's profile."""
        return await self._call("getUser", {}, responses.UserAnswer, userId=user_id)

    async def search_users(self, text: str, *, limit: int | None = None) -> responses.UserPage:
        """Find users by name."""
        return await self._call("searchUsers", {"q": text, "limit": limit}, responses.UserPage)

    async def block(self, user_id: str) -> responses.Done:
        """Block a user."""
        return await self._call("blockUser", requests.EmptyRequest(), responses.Done, userId=user_id)

    async def unblock(self, user_id: str) -> responses.Done:
        """Unblock a user."""
        return await self._call("unblockUser", {}, responses.Done, userId=user_id)

    async def blocks(self) -> responses.BlockPage:
        """Read whom the caller has blocked."""
        return await self._call("listBlocks", {}, responses.BlockPage)
