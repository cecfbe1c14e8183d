"""Every route of the HTTP API: the one list that stacks, route functions, OpenAPI, the client and the docs read."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from handlers.core.contract import requests, responses
from handlers.core.contract.limits import SEARCH_RATE, SEND_RATE, TYPING_RATE, RateLimit

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Domain = Literal["messages", "conversations", "users"]


class Route(msgspec.Struct, frozen=True):
    """One route.

    Args:
        domain: the function that serves it, `handlers/entry/{domain}.py`.
        operation: its name, unique; also the name of the function's operation.
        method, path: as in the HTTP API's route key; `{name}` is a path parameter.
        summary: one sentence for the documents.
        request: the model of the body, or of the query string where `query` is true.
        response: the model of the answer.
        status: the status of success.
        refusals: what can go wrong besides 400, 401, 429 of the API's own throttle and 500: status to meaning.
        rate: the limit per user, if the route has one.
        guide: where the migration guide defines the route, if it does.
    """

    domain: Domain
    operation: str
    method: Method
    path: str
    summary: str
    request: type[requests.Request]
    response: type[Any]
    status: tuple[int, ...] = (200,)
    query: bool = False
    refusals: tuple[tuple[int, str], ...] = ()
    rate: RateLimit | None = None
    guide: str | None = None

    @property
    def key(self) -> str:
        """Return the HTTP API's route key, for example `POST /api/messages/send`."""
        return f"{self.method} {self.path}"


_CONVERSATION: Final = ((403, "the caller is not a participant"), (404, "no such conversation"))
_DIRECT: Final = "a direct conversation cannot be changed"
_ADMIN: Final = ((403, "the caller is not an admin of the group"), (404, "no such group"), (409, _DIRECT))
_MESSAGE: Final = (
    (403, "the caller is not a participant, or may not change this message"),
    (404, "no such message in this conversation"),
    (409, "the message is deleted"),
)

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "messages",
        "sendMessage",
        "POST",
        "/api/messages/send",
        "Store a message and deliver it to every participant.",
        requests.SendMessage,
        responses.Sent,
        refusals=(
            (
                403,
                "the caller is not a participant, has blocked the other user, or senderId is somebody else",
            ),
            (404, "no such conversation, or replyTo is not in it"),
            (413, "the body is too large"),
            (429, "too many messages"),
            (503, "too many senders at once; nothing was stored"),
        ),
        rate=SEND_RATE,
        guide="G:1014",
    ),
    Route(
        "messages",
        "setTyping",
        "POST",
        "/api/messages/typing",
        "Tell the other participants that the caller is typing, or no longer is.",
        requests.Typing,
        responses.Done,
        refusals=(*_CONVERSATION, (429, "too many typing notices")),
        rate=TYPING_RATE,
        guide="G:1115",
    ),
    Route(
        "messages",
        "markRead",
        "POST",
        "/api/messages/read",
        "Mark messages as read and tell the participants.",
        requests.MarkRead,
        responses.ReadDone,
        refusals=(*_CONVERSATION,),
    ),
    Route(
        "messages",
        "getHistory",
        "GET",
        "/api/messages/{conversationId}",
        "Read a page of history, or fill a gap by sequence number.",
        requests.History,
        responses.HistoryPage,
        query=True,
        refusals=_CONVERSATION,
    ),
    Route(
        "messages",
        "editMessage",
        "PATCH",
        "/api/messages/{messageId}",
        "Replace the content of one's own message.",
        requests.EditMessage,
        responses.Changed,
        refusals=_MESSAGE,
    ),
    Route(
        "messages",
        "deleteMessage",
        "DELETE",
        "/api/messages/{messageId}",
        "Delete a message; its place in the sequence stays.",
        requests.DeleteMessage,
        responses.Changed,
        query=True,
        refusals=_MESSAGE[:2],
    ),
    Route(
        "conversations",
        "listConversations",
        "GET",
        "/api/conversations",
        "List the caller's conversations, newest message first, with preview and unread count.",
        requests.ListConversations,
        responses.ConversationPage,
        query=True,
    ),
    Route(
        "conversations",
        "openDirect",
        "POST",
        "/api/conversations/dm",
        "Find or create the direct conversation with another user; each pair of users has one.",
        requests.OpenDirect,
        responses.DirectAnswer,
        status=(200, 201),
        refusals=((404, "no such user"), (409, "the caller is in too many conversations")),
    ),
    Route(
        "conversations",
        "createGroup",
        "POST",
        "/api/conversations/group",
        "Create a group.",
        requests.CreateGroup,
        responses.GroupAnswer,
        status=(200, 201),
        refusals=(
            (404, "a member does not exist"),
            (409, "somebody is in too many conversations, or the caller has left the group of this tempId"),
        ),
    ),
    Route(
        "conversations",
        "getConversation",
        "GET",
        "/api/conversations/{conversationId}",
        "Read one conversation with its members and how far each has read.",
        requests.Nothing,
        responses.ConversationAnswer,
        query=True,
        refusals=_CONVERSATION,
    ),
    Route(
        "conversations",
        "updateGroup",
        "PATCH",
        "/api/conversations/{conversationId}",
        "Change a group's name, description or avatar.",
        requests.UpdateGroup,
        responses.GroupAnswer,
        refusals=_ADMIN,
    ),
    Route(
        "conversations",
        "addMembers",
        "POST",
        "/api/conversations/{conversationId}/members",
        "Add users to a group; they see its whole history, and nothing of it counts as unread.",
        requests.AddMembers,
        responses.GroupAnswer,
        refusals=(
            (403, "the caller is not an admin of the group"),
            (404, "no such group or user"),
            (409, f"the group would be too large, or a user is in too many; {_DIRECT}"),
        ),
    ),
    Route(
        "conversations",
        "removeMember",
        "DELETE",
        "/api/conversations/{conversationId}/members/{userId}",
        "Remove a user from a group.",
        requests.Nothing,
        responses.GroupAnswer,
        query=True,
        refusals=(
            (403, "the caller is not an admin of the group"),
            (404, "no such group or member"),
            (409, f"the caller must use leave; {_DIRECT}"),
        ),
    ),
    Route(
        "conversations",
        "setRole",
        "PUT",
        "/api/conversations/{conversationId}/members/{userId}/role",
        "Make a member an admin, or an admin a member.",
        requests.SetRole,
        responses.GroupAnswer,
        refusals=(
            (403, "the caller is not an admin of the group"),
            (404, "no such group or member"),
            (409, f"the group would be left without an admin; {_DIRECT}"),
        ),
    ),
    Route(
        "conversations",
        "leaveGroup",
        "POST",
        "/api/conversations/{conversationId}/leave",
        "Leave a group; when its last admin leaves, the longest-standing member becomes admin.",
        requests.Nothing,
        responses.Done,
        refusals=(*_CONVERSATION, (409, "a direct conversation cannot be left")),
    ),
    Route(
        "users",
        "getMe",
        "GET",
        "/api/users/me",
        "Read the caller's own profile; made on first use where sign-up did not make it.",
        requests.Nothing,
        responses.MeAnswer,
        query=True,
    ),
    Route(
        "users",
        "updateMe",
        "PATCH",
        "/api/users/me",
        "Change the caller's own profile.",
        requests.UpdateProfile,
        responses.MeAnswer,
        refusals=((404, "the caller has no profile yet"),),
    ),
    Route(
        "users",
        "listBlocks",
        "GET",
        "/api/users/me/blocks",
        "List the users whom the caller has blocked.",
        requests.Nothing,
        responses.BlockPage,
        query=True,
    ),
    Route(
        "users",
        "searchUsers",
        "GET",
        "/api/users/search",
        "Find users by name; case, accents and apostrophes do not matter.",
        requests.SearchUsers,
        responses.UserPage,
        query=True,
        refusals=((429, "too many searches"),),
        rate=SEARCH_RATE,
    ),
    Route(
        "users",
        "getUser",
        "GET",
        "/api/users/{userId}",
        "Read the public part of somebody's profile.",
        requests.Nothing,
        responses.UserAnswer,
        query=True,
        refusals=((404, "no such user"),),
    ),
    Route(
        "users",
        "blockUser",
        "POST",
        "/api/users/{userId}/block",
        "Block a user: no direct message or call of theirs arrives any more, and they cannot tell.",
        requests.Nothing,
        responses.Done,
        refusals=((404, "no such user"), (409, "too many blocked users")),
    ),
    Route(
        "users",
        "unblockUser",
        "DELETE",
        "/api/users/{userId}/block",
        "Unblock a user; what was sent meanwhile stays hidden.",
        requests.Nothing,
        responses.Done,
        query=True,
        refusals=((404, "no such user"),),
    ),
)
