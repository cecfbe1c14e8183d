"""The cut-over as the how-to page describes it: a Socket.IO server, both kinds of clients, and every way back."""

from __future__ import annotations

from contextlib import suppress

import pytest

from ops.cutover.share import uses_new_client
from tests.harness.faults import FaultInjector, ProcessKilledError, killed_after, killed_before
from tests.ops.cutover.campus import Campus

_SHARE = 50


def _adopt(campus: Campus) -> None:
    """Do what `backfill` does for the memberships."""
    assert campus.bridge is not None
    campus.bridge.handle({"conversations": campus.conversations}, None)


def _chat(campus: Campus, label: str) -> list[str]:
    """Let every user send in every conversation; return the contents."""
    sent = []
    for user_id in campus.users:
        for conversation_id in campus.of(user_id):
            content = f"{label} {campus.users.index(user_id)} {campus.conversations.index(conversation_id)}"
            if user_id in campus.old:
                assert campus.old[user_id].send(conversation_id, content)["success"]
            else:
                campus.new[user_id].send(conversation_id, content)
            sent.append(content)
    return sent


def test_users_move_from_the_old_server_to_the_backend_without_loss_or_doubles(campus: Campus) -> None:
    # Phase 1: the backend stands beside the old server, and no user uses it.
    campus.restart_old_server()
    for user_id in campus.users:
        campus.use_old(user_id)
    sent = _chat(campus, "phase 1")
    campus.check(*sent)

    # Phase 2: the bridge. One pilot uses the new client.
    campus.start_bridge()
    _adopt(campus)
    campus.use_new(campus.ada)
    listed = campus.functions.call_ok(campus.ada, "listConversations")["conversations"]
    assert {each["conversationId"] for each in listed} == set(campus.conversations)
    sent += _chat(campus, "phase 2")
    campus.check(*sent)

    # Phase 3: users by share.
    for percent in (_SHARE, 100):
        for user_id in campus.users:
            if uses_new_client(user_id, percent) and user_id in campus.old:
                campus.use_new(user_id)
        sent += _chat(campus, f"share {percent}")
        campus.check(*sent)
    assert not campus.old

    # Phase 4: the old server accepts no writes; a page that was left open still receives.
    campus.server.start(queue_url=campus.bridge.queue_url if campus.bridge else "", writes=False)
    left_open = campus.use_old(campus.grace)
    refused = left_open.send(campus.direct, "too late")
    assert (refused["success"], "Load the page again" in refused["error"]) == (False, True)
    campus.new[campus.ada].send(campus.direct, "phase 4")
    sent.append("phase 4")
    campus.check(*sent)

    # Phase 5: the bridge and the old server are gone.
    campus.use_new(campus.grace)
    campus.server.stop()
    campus.bridge = None
    sent += _chat(campus, "phase 5")
    campus.check(*sent)


@pytest.mark.parametrize("phase", [2, 3, 4, 5])
def test_way_back_from_each_phase_and_forward_again_keeps_every_message(campus: Campus, phase: int) -> None:
    campus.restart_old_server()
    bridge = campus.start_bridge()
    _adopt(campus)
    for user_id in campus.users:
        campus.use_old(user_id)
    campus.use_new(campus.ada)
    if phase >= 3:
        campus.use_new(campus.grace)
    if phase >= 4:
        campus.restart_old_server(writes=False)
    if phase == 5:
        for user_id in campus.users:
            campus.use_new(user_id)
    campus.new[campus.ada].send(campus.direct, "before the way back")
    campus.settle()

    # Back: every user has the old client. The bridge stands still, as if it were deleted; its stream waits.
    campus.bridge = None
    campus.server.start()
    for user_id in campus.users:
        campus.use_old(user_id)
    sent = ["before the way back", *_chat(campus, "back")]
    for user_id in campus.users:
        campus.old[user_id].reload()
    campus.check(*sent)

    # Forward again: the bridge numbers what was written meanwhile, before new clients write.
    campus.bridge = bridge
    campus.restart_old_server()
    campus.settle()
    for user_id in campus.users[:2]:
        campus.use_new(user_id)
    sent += _chat(campus, "forward")
    campus.check(*sent)


def test_both_sides_stay_equal_when_bridge_and_old_server_die(campus: Campus) -> None:
    campus.restart_old_server()
    bridge = campus.start_bridge()
    _adopt(campus)
    campus.use_new(campus.ada)
    for user_id in campus.users[1:]:
        campus.use_old(user_id)
    sent = []
    for step in range(1, 9):
        sent += _chat(campus, f"death {step}")
        bridge.faults = FaultInjector(2 * step, killed_before if step % 2 else killed_after)
        bridge.start()
        with suppress(ProcessKilledError):
            bridge.run()
        bridge.faults = FaultInjector()
        bridge.start()
        if step == 4:
            campus.restart_old_server()
    campus.check(*sent)


def test_message_that_the_old_server_emitted_before_its_death_is_shown_once(campus: Campus) -> None:
    campus.restart_old_server()
    campus.start_bridge()
    campus.use_new(campus.ada)
    campus.use_old(campus.grace)
    campus.restart_old_server(crash_before_delete=True)
    campus.new[campus.ada].send(campus.direct, "emitted twice")
    campus.settle()
    assert campus.server.wait() == 9
    campus.restart_old_server()
    campus.new[campus.ada].send(campus.direct, "after the restart")
    campus.settle()
    campus.old[campus.grace].wait_for(
        lambda shown: any(each["content"] == "after the restart" for each in shown.values())
    )
    campus.check("emitted twice", "after the restart")
