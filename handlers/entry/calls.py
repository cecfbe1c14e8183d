"""The function of the calls routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from contract.calls.requests import AcceptCall, CancelCall, EndCall, InitiateCall, LeaveCall, ListCalls, RejectCall
from contract.calls.responses import CallAccepted, CallAnswer, CallChanged, CallInitiated, CallLeft, CallPage
from contract.limits import CALL_ATTEMPT_RATE, CALL_TARGET_RATE
from contract.requests import EmptyRequest
from handlers.adapters import aws_clients
from handlers.adapters.dynamodb.blocks import DynamoBlockReader
from handlers.adapters.dynamodb.conversations.rows import DynamoStoredConversations
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.adapters.dynamodb.users import DynamoUserDirectory
from handlers.core.calls.accept import CallAcceptor
from handlers.core.calls.hang_up import CallTermination
from handlers.core.calls.initiate import CallInitiator
from handlers.core.calls.invitations import Invitations
from handlers.core.calls.meeting_access import MeetingAccess
from handlers.core.calls.ports import RingTimers
from handlers.core.calls.queries import CallQueries
from handlers.core.shared.rates import UserRates
from handlers.core.users.accounts import ActiveAccounts
from handlers.entry.accounts import active_accounts
from handlers.entry.calls_wiring import AwsServices, aws_services, call_services, ring_timers
from handlers.entry.http import ApiRequest, Operation, route_handler
from handlers.entry.rates import limited
from handlers.settings import CallsSettings


class CallUseCases(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases behind the routes."""

    initiator: CallInitiator
    acceptor: CallAcceptor
    termination: CallTermination
    queries: CallQueries
    rates: UserRates


def wire(settings: CallsSettings, aws: AwsServices, timers: RingTimers) -> CallUseCases:
    """Return the use cases with the given services."""
    calls = call_services(
        settings,
        aws,
        user_calls=settings.user_calls_table,
        rate_limits=settings.rate_limits_table,
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
    )
    conversations = DynamoStoredConversations(client=aws.dynamodb, conversations=settings.conversations_table)
    directory = DynamoUserDirectory(client=aws.dynamodb, users_table=settings.users_table)
    blocks = DynamoBlockReader(client=aws.dynamodb, blocks=settings.blocks_table)
    return CallUseCases(
        initiator=CallInitiator(
            calls=calls.store,
            executor=calls.executor,
            invitations=Invitations(directory, blocks, conversations),
            timers=timers,
            clock=aws.clock,
            ids=aws.ids,
            ring_seconds=settings.ring_timeout_seconds,
        ),
        acceptor=CallAcceptor(
            calls=calls.store,
            executor=calls.executor,
            meeting_access=MeetingAccess(aws.meetings),
            meeting_cleanup=calls.meeting_cleanup,
            conversations=conversations,
            clock=aws.clock,
        ),
        termination=CallTermination(calls=calls.store, executor=calls.executor, clock=aws.clock),
        queries=CallQueries(calls.store, aws.clock),
        rates=UserRates(DynamoRateCounter(aws.dynamodb, settings.rate_limits_table), aws.clock),
    )


def operations(use_cases: Callable[[], CallUseCases]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def initiate(request: ApiRequest[InitiateCall]) -> CallInitiated:
        caller, body, rates = request.caller.user_id, request.request, use_cases().rates
        rates.require(caller, CALL_ATTEMPT_RATE)
        rates.require(caller, CALL_TARGET_RATE, body.conversationId or body.recipientId or "")
        return use_cases().initiator.initiate(caller, body)

    def accept(request: ApiRequest[AcceptCall]) -> CallAccepted:
        return use_cases().acceptor.accept(request.caller.user_id, request.request)

    def reject(request: ApiRequest[RejectCall]) -> CallChanged:
        return use_cases().termination.reject(request.caller.user_id, request.request)

    def cancel(request: ApiRequest[CancelCall]) -> CallChanged:
        return use_cases().termination.cancel(request.caller.user_id, request.request.sessionId)

    def leave(request: ApiRequest[LeaveCall]) -> CallLeft:
        return use_cases().termination.leave(request.caller.user_id, request.request)

    def end(request: ApiRequest[EndCall]) -> CallChanged:
        return use_cases().termination.end(request.caller.user_id, request.request.sessionId)

    def page(request: ApiRequest[ListCalls]) -> CallPage:
        return use_cases().queries.page(request.caller.user_id, request.request)

    def one(request: ApiRequest[EmptyRequest]) -> CallAnswer:
        return use_cases().queries.one(request.caller.user_id, request.path["sessionId"])

    table: dict[str, Operation] = {
        "initiateCall": initiate,
        "acceptCall": accept,
        "rejectCall": reject,
        "cancelCall": cancel,
        "leaveCall": leave,
        "endCall": end,
        "listCalls": page,
        "getCall": one,
    }
    return limited(table, lambda: use_cases().rates)


@cache
def _use_cases() -> CallUseCases:
    settings = CallsSettings.load()
    return wire(settings, aws_services(settings), ring_timers(settings.ring_queue_url))


@cache
def _accounts() -> ActiveAccounts:
    settings = CallsSettings.load()
    return active_accounts(aws_clients.client("dynamodb"), settings.users_table)


handle = route_handler("calls", operations(_use_cases), _accounts)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _use_cases()
    _accounts()
