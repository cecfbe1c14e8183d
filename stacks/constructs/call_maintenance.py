"""Calls beyond their routes: the ring timer's queue, what Chime tells, and a look each minute at what is left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from handlers.settings import CallSweepSettings, ChimeEventsSettings, RingTimeoutSettings
from stacks.config.fields import Environment
from stacks.constructs.function import HandlerFunction, SettingsClass
from stacks.constructs.queue import dead_letters, feed, may_receive, may_send, queue, visibility
from stacks.naming import Names
from stacks.packaging import Asset
from stacks.policy import acknowledgements as reasons

QUEUE: Final = "RingTimeouts"
DEAD_LETTERS: Final = "CallsDeadLetters"

_RING_SECONDS: Final = 30
_CHIME_SECONDS: Final = 30
_SWEEP_SECONDS: Final = 50  # less than the minute to the next run
_RECEIVES_MAX: Final = 5
_RING_BATCH: Final = 1  # a timer waits for no other timer's meeting to be deleted
_RING_CONCURRENCY: Final = 20
_CHIME_RETRIES: Final = 2
"""AWS Lambda: how often an asynchronous invocation that failed is repeated, two at most."""
_CHIME_AGE: Final = Duration.hours(1)  # the sweep has long taken over by then


def media_region(environment: Environment) -> str:
    """Return the region whose media servers carry an environment's calls."""
    return environment.calls.media_region or Aws.REGION


class CallMaintenance(Construct):
    """What keeps calls true when no client does.

    `ring_timeout` ends ringing when its delayed message arrives; `chime_events` hears from Chime who left and which
    meeting ended; `call_sweep` looks once a minute for what both of them missed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        asset: Asset,
        events_api_id: str,
        events_http_endpoint: str,
        delivery_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._asset = asset
        self._events_api_id = events_api_id
        self._delivery_queue = delivery_queue
        self._values: Mapping[str, str | int] = {
            "EVENTS_HTTP_ENDPOINT": events_http_endpoint,
            "DELIVERY_QUEUE_URL": delivery_queue.queue_url,
            "MEDIA_REGION": media_region(environment),
        }
        names = Names(environment.name)
        self.dead_letters = dead_letters(self, DEAD_LETTERS, names)
        self.queue = queue(
            self,
            QUEUE,
            names,
            retention=Duration.days(1),
            visibility_timeout=visibility(_RING_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_RECEIVES_MAX),
        )
        self._ring_timeout()
        self._chime_events(names)
        self._sweep(names)

    @property
    def sending(self) -> iam.PolicyStatement:
        """Return what a function needs to start a ring timer."""
        return may_send("RingTimer", self.queue)

    def _ring_timeout(self) -> None:
        ring_timeout = self._function(
            "RingTimeout",
            RingTimeoutSettings,
            _RING_SECONDS,
            "Ends the ringing of a call when its time is over",
            values={"RING_QUEUE_URL": self.queue.queue_url},
            statements=[may_receive(self.queue), self.sending],
        )
        feed(
            self,
            "RingTimeoutSource",
            source=self.queue,
            to=ring_timeout,
            batch=_RING_BATCH,
            concurrency=_RING_CONCURRENCY,
        )

    def _chime_events(self, names: Names) -> None:
        chime_events = self._function(
            "ChimeEvents",
            ChimeEventsSettings,
            _CHIME_SECONDS,
            "Brings a call's record into line with what Chime says of its meeting",
            statements=[may_send("GiveUp", self.dead_letters)],
            dead_letters=self.dead_letters,
        )
        events.Rule(
            self,
            "MeetingStateChanges",
            rule_name=names.of("MeetingStateChanges"),
            description="Chime meetings that ended, and attendees who left",
            event_pattern=events.EventPattern(
                source=["aws.chime"],
                detail_type=["Chime Meeting State Change"],
                detail={"eventType": ["chime:MeetingEnded", "chime:AttendeeLeft"]},
            ),
            targets=[
                targets.LambdaFunction(
                    chime_events.target,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=_CHIME_AGE,
                )
            ],
        )

    def _sweep(self, names: Names) -> None:
        sweep = self._function(
            "CallSweep",
            CallSweepSettings,
            _SWEEP_SECONDS,
            "Looks once a minute for calls that nobody ended and meetings that nobody deleted",
        )
        schedule = events.Rule(
            self,
            "CallSweepSchedule",
            rule_name=names.of("CallSweep"),
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(sweep.target, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
        reasons.runs_again(schedule, sweep.function)

    def _function(
        self,
        construct_id: str,
        settings: type[SettingsClass],
        seconds: int,
        description: str,
        *,
        values: Mapping[str, str | int] | None = None,
        statements: Sequence[iam.PolicyStatement] = (),
        dead_letters: sqs.IQueue | None = None,
    ) -> HandlerFunction:
        return HandlerFunction(
            self,
            construct_id,
            environment=self._environment,
            asset=self._asset,
            settings=settings,
            values={**self._values, **(values or {})},
            timeout=Duration.seconds(seconds),
            description=description,
            statements=[may_send("Enqueue", self._delivery_queue), *statements],
            events_api_id=self._events_api_id,
            dead_letters=dead_letters,
        )
