"""The calls routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from contract.calls.requests import AcceptCall, CancelCall, EndCall, InitiateCall, LeaveCall, ListCalls, RejectCall
from contract.calls.responses import CallAccepted, CallAnswer, CallChanged, CallInitiated, CallLeft, CallPage
from contract.requests import EmptyRequest
from handlers.adapters.dynamodb.blocks import DynamoBlockReader
from handlers.adapters.dynamodb.conversations.rows import DynamoStoredConversations
from handlers.adapters.dynamodb.users import DynamoUserDirectory
from handlers.core.calls.accept import CallAcceptor
from handlers.core.calls.hang_up import CallTermination
from handlers.core.calls.initiate import CallInitiator
from handlers.core.calls.invitations import Invitations
from handlers.core.calls.meeting_access import MeetingAccess
from handlers.core.calls.ports import RingTimers
from handlers.core.calls.queries import CallQueries
from handlers.entry.calls_wiring import AwsServices, parts, ring_timers, services
from handlers.entry.http import ApiRequest, Operation, route_handler
from handlers.settings import CallsSettings


class Calling(msgspec.Struct, frozen=True, kw_only=True):
    """The call operations, wired."""

    initiating: CallInitiator
    accepting: CallAcceptor
    hanging_up: CallTermination
    reading: CallQueries


def wire(settings: CallsSettings, given: AwsServices, timers: RingTimers) -> Calling:
    """Return the operations on top of the given services."""
    made = parts(settings, given, user_calls=settings.user_calls_table, rate_limits=settings.rate_limits_table)
    conversations = DynamoStoredConversations(client=given.dynamodb, conversations=settings.conversations_table)
    directory = DynamoUserDirectory(client=given.dynamodb, users_table=settings.users_table)
    blocks = DynamoBlockReader(client=given.dynamodb, blocks=settings.blocks_table)
    return Calling(
        initiating=CallInitiator(
            calls=made.calls,
            transitions=made.transitions,
            invitations=Invitations(directory, blocks, conversations),
            timers=timers,
            clock=given.clock,
            ids=given.ids,
            ring_seconds=settings.ring_timeout_seconds,
        ),
        accepting=CallAcceptor(
            calls=made.calls,
            transitions=made.transitions,
            seats=MeetingAccess(given.meetings, made.transitions),
            cleaner=made.cleaner,
            conversations=conversations,
            clock=given.clock,
        ),
        hanging_up=CallTermination(calls=made.calls, transitions=made.transitions, clock=given.clock),
        reading=CallQueries(made.calls, given.clock),
    )


def operations(calling: Callable[[], Calling]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def initiate(call: ApiRequest[InitiateCall]) -> CallInitiated:
        return calling().initiating.initiate(call.caller.user_id, call.request)

    def accept(call: ApiRequest[AcceptCall]) -> CallAccepted:
        return calling().accepting.accept(call.caller.user_id, call.request)

    def reject(call: ApiRequest[RejectCall]) -> CallChanged:
        return calling().hanging_up.reject(call.caller.user_id, call.request)

    def cancel(call: ApiRequest[CancelCall]) -> CallChanged:
        return calling().hanging_up.cancel(call.caller.user_id, call.request.sessionId)

    def leave(call: ApiRequest[LeaveCall]) -> CallLeft:
        return calling().hanging_up.leave(call.caller.user_id, call.request)

    def end(call: ApiRequest[EndCall]) -> CallChanged:
        return calling().hanging_up.end(call.caller.user_id, call.request.sessionId)

    def page(call: ApiRequest[ListCalls]) -> CallPage:
        return calling().reading.page(call.caller.user_id, call.request)

    def one(call: ApiRequest[EmptyRequest]) -> CallAnswer:
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


handle = route_handler("calls", operations(_calling))

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _calling()
