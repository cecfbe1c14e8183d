"""Call maintenance: the ring timer queue, the consumer of Chime's events, and the sweep of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract import limits
from handlers.settings import CallSweepSettings, ChimeEventsSettings, RingTimeoutSettings
from stacks.config.fields import Environment
from stacks.constructs.function import NO_RETRIES, AsynchronousInvocation, HandlerFunction, SettingsClass
from stacks.constructs.queues import add_queue_source, create_dead_letter_queue, create_queue, visibility_timeout
from stacks.naming import (
    CHIME_EVENTS_DEAD_LETTERS,
    CHIME_RULE_DEAD_LETTERS,
    RING_TIMEOUTS_DEAD_LETTERS,
    RING_TIMEOUTS_QUEUE,
    Names,
)
from stacks.packaging import Asset
from stacks.policy import nag
from stacks.policy.statements import allow_receive, allow_send

_RING_SECONDS: Final = 30
_CHIME_SECONDS: Final = 30
_SWEEP_SECONDS: Final = 50  # ends before the next run starts
_RING_BATCH: Final = 1  # a timer does not wait while another timer's meeting is deleted
_RING_CONCURRENCY: Final = 20
_CHIME_RETRIES: Final = 2
_CHIME_AGE: Final = Duration.hours(1)  # the sweep corrects the call within minutes


def media_region(environment: Environment) -> str:
    """Return the region of the media servers of an environment's calls."""
    return environment.calls.media_region or Aws.REGION


class CallMaintenance(Construct):
    """The functions that correct the state of calls without a client's request.

    `ring_timeout` ends ringing when its delayed message arrives. `chime_events` consumes Chime's events about
    attendees who left and meetings that ended. `call_sweep` runs every minute and finds calls that both missed.
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
        self.dead_letters = create_dead_letter_queue(self, RING_TIMEOUTS_DEAD_LETTERS, names)
        self.chime_events_dead_letters = create_dead_letter_queue(self, CHIME_EVENTS_DEAD_LETTERS, names)
        self.chime_rule_dead_letters = create_dead_letter_queue(self, CHIME_RULE_DEAD_LETTERS, names, of_queue=False)
        self.queue = create_queue(
            self,
            RING_TIMEOUTS_QUEUE,
            names,
            retention=Duration.days(1),
            visibility_timeout=visibility_timeout(_RING_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=limits.RING_TIMER_RECEIVES_MAX
            ),
        )
        self._ring_timeout()
        self._chime_events(names)
        self._sweep(names)

    @property
    def allow_ring_timers(self) -> iam.PolicyStatement:
        """Return the IAM statement that lets a function start a ring timer."""
        return allow_send("RingTimer", self.queue)

    def _ring_timeout(self) -> None:
        ring_timeout = self._function(
            "RingTimeout",
            RingTimeoutSettings,
            _RING_SECONDS,
            "Ends the ringing of a call at its timeout",
            values={"RING_QUEUE_URL": self.queue.queue_url},
            allow=[allow_receive(self.queue), self.allow_ring_timers],
        )
        add_queue_source(
            self,
            "RingTimeoutSource",
            queue=self.queue,
            function=ring_timeout,
            batch_size=_RING_BATCH,
            max_concurrency=_RING_CONCURRENCY,
        )

    def _chime_events(self, names: Names) -> None:
        chime_events = self._function(
            "ChimeEvents",
            ChimeEventsSettings,
            _CHIME_SECONDS,
            "Updates a call when Chime reports that an attendee left or the meeting ended",
            allow=[allow_send("GiveUp", self.chime_events_dead_letters)],
            asynchronous=AsynchronousInvocation(
                retries=_CHIME_RETRIES, event_age=_CHIME_AGE, dead_letters=self.chime_events_dead_letters
            ),
        )
        events.Rule(
            self,
            "MeetingStateChanges",
            rule_name=names.of("MeetingStateChanges"),
            description="Chime events: meeting ended, attendee left",
            event_pattern=events.EventPattern(
                source=["aws.chime"],
                detail_type=["Chime Meeting State Change"],
                detail={"eventType": ["chime:MeetingEnded", "chime:AttendeeLeft"]},
            ),
            targets=[
                targets.LambdaFunction(
                    chime_events.target,
                    dead_letter_queue=self.chime_rule_dead_letters,
                    max_event_age=_CHIME_AGE,
                )
            ],
        )

    def _sweep(self, names: Names) -> None:
        sweep = self._function(
            "CallSweep",
            CallSweepSettings,
            _SWEEP_SECONDS,
            "Every minute: ends overdue calls and deletes leftover meetings",
            asynchronous=NO_RETRIES,
        )
        schedule = events.Rule(
            self,
            "CallSweepSchedule",
            rule_name=names.of("CallSweep"),
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(sweep.target, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
        nag.acknowledge_next_scheduled_run(schedule, sweep.function)

    def _function(
        self,
        construct_id: str,
        settings: type[SettingsClass],
        seconds: int,
        description: str,
        *,
        values: Mapping[str, str | int] | None = None,
        allow: Sequence[iam.PolicyStatement] = (),
        asynchronous: AsynchronousInvocation | None = None,
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
            allow=[allow_send("Enqueue", self._delivery_queue), *allow],
            events_api_id=self._events_api_id,
            asynchronous=asynchronous,
        )
