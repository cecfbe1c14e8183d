"""The calls routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from contract.calls.requests import AcceptCall, CancelCall, EndCall, InitiateCall, LeaveCall, ListCalls, RejectCall
from contract.calls.responses import CallAccepted, CallAnswer, CallChanged, CallInitiated, CallLeft, CallPage
from contract.requests import Nothing
from handlers.adapters.blocks import DynamoBlockPairs
from handlers.adapters.conversation_rows import DynamoStoredConversations
from handlers.adapters.users import DynamoDirectory
from handlers.core.call_accepting import Accepting
from handlers.core.call_hanging_up import HangingUp
from handlers.core.call_initiating import Initiating
from handlers.core.call_invitations import Invitations
from handlers.core.call_ports import RingTimers
from handlers.core.call_reading import ReadingCalls
from handlers.core.call_seats import Seats
from handlers.entry.call_parts import Services, parts, ring_timers, services
from handlers.entry.http import Call, Operation, dispatcher
from handlers.settings import CallsSettings


class Calling(msgspec.Struct, frozen=True, kw_only=True):
    """The call operations, wired."""

    initiating: Initiating
    accepting: Accepting
    hanging_up: HangingUp
    reading: ReadingCalls


def wire(settings: CallsSettings, given: Services, timers: RingTimers) -> Calling:
    """Return the operations on top of the given services."""
    made = parts(settings, given, user_calls=settings.user_calls_table, rate_limits=settings.rate_limits_table)
    conversations = DynamoStoredConversations(client=given.dynamodb, conversations=settings.conversations_table)
    directory = DynamoDirectory(client=given.dynamodb, users_table=settings.users_table)
    blocks = DynamoBlockPairs(client=given.dynamodb, blocks=settings.blocks_table)
    return Calling(
        initiating=Initiating(
            calls=made.calls,
            transitions=made.transitions,
            invitations=Invitations(directory, blocks, conversations),
            timers=timers,
            clock=given.clock,
            ids=given.ids,
            ring_seconds=settings.ring_timeout_seconds,
        ),
        accepting=Accepting(
            calls=made.calls,
            transitions=made.transitions,
            seats=Seats(given.meetings, made.transitions),
            cleaner=made.cleaner,
            conversations=conversations,
            clock=given.clock,
        ),
        hanging_up=HangingUp(calls=made.calls, transitions=made.transitions, clock=given.clock),
        reading=ReadingCalls(made.calls, given.clock),
    )


def operations(calling: Callable[[], Calling]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def initiate(call: Call[InitiateCall]) -> CallInitiated:
        return calling().initiating.initiate(call.caller.user_id, call.request)

    def accept(call: Call[AcceptCall]) -> CallAccepted:
        return calling().accepting.accept(call.caller.user_id, call.request)

    def reject(call: Call[RejectCall]) -> CallChanged:
        return calling().hanging_up.reject(call.caller.user_id, call.request)

    def cancel(call: Call[CancelCall]) -> CallChanged:
        return calling().hanging_up.cancel(call.caller.user_id, call.request.sessionId)

    def leave(call: Call[LeaveCall]) -> CallLeft:
        return calling().hanging_up.leave(call.caller.user_id, call.request)

    def end(call: Call[EndCall]) -> CallChanged:
        return calling().hanging_up.end(call.caller.user_id, call.request.sessionId)

    def page(call: Call[ListCalls]) -> CallPage:
        return calling().reading.page(call.caller.user_id, call.request)

    def one(call: Call[Nothing]) -> CallAnswer:
        return calling().reading.one(call.caller.user_id, call.path["sessionId"])

    return {
        "initiateCall": initiate,
        "acceptCall": accept,
        "rejectCall": reject,
        "cancelCall": cancel,
        "leaveCall": leave,
        "endCall": end,
        "listCalls": page,
        "getCall": one,
    }


@cache
def _calling() -> Calling:
    settings = CallsSettings.load()
    return wire(settings, services(settings), ring_timers(settings.ring_queue_url))


handle = dispatcher("calls", operations(_calling))

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _calling()
