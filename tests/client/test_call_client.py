"""Calls of the whole client: handles, recovery, and refusals that carry the call."""

from __future__ import annotations

import pytest

from client.chat_client import ChatClient
from client.errors import ConflictError, UnknownCallError
from client.state.updates import CallChangeKind
from tests.harness.client.application import RecordingApplication
from tests.harness.client.backend import ME, OTHER, ChatBackend, call_view, error_reply


async def test_a_call_that_rang_and_ended_while_offline_is_reported_afterwards(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    incoming_and_cancelled = [CallChangeKind.INCOMING, CallChangeKind.CANCELLED]
    backend.calls["s"] = call_view(1, "RINGING", other="JOINED", me="RINGING")
    await chat.start()
    assert application.call_changes() == [CallChangeKind.INCOMING]
    assert chat.calls.current() is not None
    backend.calls["s"] = call_view(2, "CANCELLED", other="LEFT", me="MISSED")
    await backend.events.cut()
    await application.until(lambda: application.call_changes() == incoming_and_cancelled)
    assert chat.calls.current() is None
    late = {"sessionId": "s", "version": 1, "status": "RINGING", "error": {"code": "UNAVAILABLE", "message": "late"}}
    await chat.current()
    await backend.publish("CALL_ERROR", late, namespace="users")
    await backend.send("after")
    await application.until(lambda: "after" in application.texts())
    assert application.call_changes() == incoming_and_cancelled


async def test_a_started_call_has_a_handle_that_ends_it(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    call = await chat.calls.start(user_id=OTHER, media="VIDEO")
    assert backend.api.requests[-1].document["deviceId"] == chat.calls.device_id
    assert (call.state.status, call.state.on_this_device, call.state.caller_id) == ("RINGING", True, ME)
    await call.cancel()
    assert (call.state.status, chat.calls.current()) == ("CANCELLED", None)
    assert application.call_changes() == [CallChangeKind.CANCELLED]


async def test_accept_returns_the_meeting_and_the_attendee(backend: ChatBackend, chat: ChatClient) -> None:
    backend.calls["s"] = call_view(1, "RINGING", other="JOINED", me="RINGING")
    await chat.start()
    call = chat.calls.current()
    assert call is not None
    state = await call.accept()
    assert state.meeting == {"MeetingId": "m"}
    assert state.attendee is not None
    assert state.attendee.JoinToken == "secret"
    await call.leave()
    assert call.state.status == "ENDED"


@pytest.mark.parametrize("action", ["accept", "reject", "cancel", "leave", "end"])
async def test_the_call_in_a_conflict_is_in_the_state_before_the_error_is_raised(
    backend: ChatBackend, chat: ChatClient, action: str
) -> None:
    backend.calls["s"] = call_view(1, "RINGING", other="JOINED", me="RINGING")
    await chat.start()
    ended = call_view(2, "CANCELLED", other="LEFT", me="MISSED")
    backend.overrides[f"POST /api/calls/{action}"] = error_reply(409, "CONFLICT", call=ended)
    call = chat.calls.call("s")
    with pytest.raises(ConflictError):
        await getattr(call, action)()
    assert call.state.status == "CANCELLED"


async def test_a_call_is_started_with_exactly_one_of_user_and_conversation(chat: ChatClient) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        await chat.calls.start()
    with pytest.raises(ValueError, match="exactly one"):
        await chat.calls.start(user_id=OTHER, conversation_id="c")


async def test_the_state_of_an_unknown_call_is_an_error_of_the_clients_tree(chat: ChatClient) -> None:
    with pytest.raises(UnknownCallError, match="nowhere"):
        _ = chat.calls.call("nowhere").state
