"""The whole client against small servers: connection, recovery, conversations and users."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from client.chat_client import ChatClient
from client.errors import RealtimeRefusedError, UnknownConversationError, UnreachableError
from client.state.updates import BlockChanged, ConversationRemoved, HistoryReset, SyncState
from tests.harness.client.application import LONGEST_WAIT_SECONDS, RecordingApplication
from tests.harness.client.backend import OTHER, ChatBackend
from tests.harness.client.servers import target


async def test_events_received_while_the_list_is_read_are_applied_after_it(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    backend.list_gate = asyncio.Event()
    starting = asyncio.ensure_future(chat.start())
    await asyncio.wait_for(backend.list_requested.wait(), LONGEST_WAIT_SECONDS)
    await backend.send("one")
    await backend.send("two")
    assert application.texts() == []
    backend.list_gate.set()
    await starting
    await application.until(lambda: application.texts() == ["one", "two"])
    assert application.sync_states() == [SyncState.RECOVERING, SyncState.CURRENT]


async def test_messages_sent_while_offline_are_reported_in_order_with_later_ones(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    await backend.send("one")
    await application.until(lambda: application.texts() == ["one"])
    backend.list_gate = asyncio.Event()
    backend.list_requested.clear()
    await backend.events.cut()
    backend.store("two")
    backend.store("three")
    await asyncio.wait_for(backend.list_requested.wait(), LONGEST_WAIT_SECONDS)
    await backend.send("four")
    backend.list_gate.set()
    await application.until(lambda: application.texts() == ["one", "two", "three", "four"])
    assert SyncState.OFFLINE in application.sync_states()


async def test_start_survives_a_lost_connection_during_the_first_recovery(
    backend: ChatBackend, chat: ChatClient
) -> None:
    backend.list_gate = asyncio.Event()
    starting = asyncio.ensure_future(chat.start())
    await asyncio.wait_for(backend.list_requested.wait(), LONGEST_WAIT_SECONDS)
    backend.list_requested.clear()
    await backend.events.cut()
    await asyncio.wait_for(backend.list_requested.wait(), LONGEST_WAIT_SECONDS)
    backend.list_gate.set()
    await asyncio.wait_for(starting, LONGEST_WAIT_SECONDS)
    assert chat.sync_state is SyncState.CURRENT


async def test_a_list_received_after_its_connection_was_lost_does_not_make_the_view_current(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    events = backend.events
    backend.list_gate = asyncio.Event()
    backend.list_requested.clear()
    await events.cut()
    await asyncio.wait_for(backend.list_requested.wait(), LONGEST_WAIT_SECONDS)
    acknowledge = events.on_connect
    events.on_connect = lambda token: {"type": "connection_error", "errors": [{"errorCode": 500}]}
    application.updates.clear()
    await events.cut()
    await application.until(lambda: application.sync_states() == [SyncState.OFFLINE])
    backend.list_gate.set()
    attempts = len(events.connections)
    await events.until(lambda: len(events.connections) >= attempts + 3)
    assert application.sync_states() == [SyncState.OFFLINE]
    events.on_connect = acknowledge
    recovered = [SyncState.OFFLINE, SyncState.RECOVERING, SyncState.CURRENT]
    await application.until(lambda: application.sync_states() == recovered)


async def test_recovery_is_retried_while_the_api_fails_and_loses_no_message(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    """Requirement P4."""
    await chat.start()
    backend.failures = 3
    await backend.events.cut()
    backend.store("one")
    await application.until(lambda: application.texts() == ["one"])
    assert application.sync_states()[-1] is SyncState.CURRENT


async def test_a_gap_too_wide_to_fill_is_reported_as_a_reset_with_the_newest_page(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    for number in range(10):
        backend.store(f"missed {number}")
    await backend.send("last")
    await application.until(lambda: application.texts() == ["missed 8", "missed 9", "last"])
    [reset] = [update for update in application.updates if isinstance(update, HistoryReset)]
    assert (reset.after_seq, reset.first_seq) == (0, 9)
    history = await chat.conversation("c").history()
    assert [message.content for message in history] == ["missed 8", "missed 9", "last"]


async def test_an_event_of_an_unknown_conversation_reads_it_and_reports_its_messages(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    await backend.send("hello", conversation="d")
    await application.until(lambda: application.texts() == ["hello"])
    assert "d" in chat.inbox


async def test_a_conversation_that_disappeared_while_offline_is_reported_as_removed(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    del backend.messages["c"]
    await backend.events.cut()
    await application.until(lambda: ConversationRemoved("c", None) in application.updates)


async def test_a_refused_connection_ends_the_start_with_an_error_of_the_clients_tree(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    refusal = {"errorType": "UnauthorizedException", "errorCode": 401}
    backend.events.on_connect = lambda token: {"type": "connection_error", "errors": [refusal]}
    with pytest.raises(RealtimeRefusedError):
        await chat.start()
    assert chat.sync_state is SyncState.SIGNED_OUT


async def test_the_cause_of_a_lost_connection_is_an_error_of_the_clients_tree(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    await backend.events.stop()
    await application.until(lambda: SyncState.OFFLINE in application.sync_states())
    causes = [getattr(update, "cause", None) for update in application.updates]
    assert any(isinstance(cause, UnreachableError) for cause in causes)


async def test_an_opened_or_created_conversation_is_in_the_view_at_once(backend: ChatBackend, chat: ChatClient) -> None:
    await chat.start()
    direct = await chat.open_direct(OTHER)
    group = await chat.create_group("Study group", [OTHER])
    assert {view.conversationId for view in chat.conversations()} == {"c", direct.id, group.id}
    assert (group.view.name, group.view.type) == ("Study group", "GROUP")


async def test_a_block_is_reported_once_whether_response_or_event_comes_first(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    await chat.block("x")
    await backend.publish("USER_BLOCKED", {"userId": "x"}, namespace="users")
    await chat.unblock("x")
    await backend.publish("USER_UNBLOCKED", {"userId": "x"}, namespace="users")
    await backend.send("after")
    await application.until(lambda: application.texts() == ["after"])
    reported = [update for update in application.updates if isinstance(update, BlockChanged)]
    assert reported == [BlockChanged("x", True), BlockChanged("x", False)]


async def test_the_client_closes_the_http_session_that_it_made_and_no_other(
    backend: ChatBackend, http: aiohttp.ClientSession
) -> None:
    own = await ChatClient.sign_in(backend.target, "me@example.edu", "password")
    async with own:
        assert own.user_id == "me"
    assert own._http.closed
    async with await ChatClient.sign_in(backend.target, "me@example.edu", "password", http=http):
        pass
    assert not http.closed


async def test_a_failed_sign_in_closes_the_http_session() -> None:
    # An HTTP session that is not closed fails the test: it warns when it is collected.
    with pytest.raises(UnreachableError, match="no response from Cognito"):
        await ChatClient.sign_in(target(), "me@example.edu", "password")


async def test_an_unknown_conversation_is_an_error_of_the_clients_tree(backend: ChatBackend, chat: ChatClient) -> None:
    await chat.start()
    with pytest.raises(UnknownConversationError, match="nowhere"):
        await chat.conversation("nowhere").mark_read()
