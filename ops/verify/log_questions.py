"""Questions about logs: whether AppSync writes the log of the Event API, and whether metric filters match log lines."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.verify.chime_questions import error_code
from ops.verify.deployment import Deployment
from ops.verify.question import CannotAskError, Observation, PossibleAnswer, Question
from stacks import outputs

FUNCTION: Final = "calls"
METRIC: Final = "CallsInitiated"
"""A metric that is counted from log lines, and the function that writes them (`stacks/monitoring/log_metrics.py`)."""
_LOG_MINUTES: Final = 3
_LOOK_SECONDS: Final = 15
_LINES: Final = 50
_CALL: Final = re.compile(r'"message\\*":\s*\\*"call')
"""The message of the log line of calls; its quotation marks are escaped where the line is a text within JSON."""
_REFUSED_CHANNELS: Final = ("/chats/verify", "/calls/verify", "/nosuchnamespace/verify")


def _ask_event_log(deployment: Deployment) -> Observation:
    """Publish events that handlers refuse, and look for a log stream."""
    group = f"/aws/appsync/apis/{deployment.output(outputs.EVENTS_API_ID)}"
    client = deployment.make_client("logs")
    url = deployment.output(outputs.EVENTS_HTTP_ENDPOINT)
    for channel in _REFUSED_CHANNELS:
        body = json.dumps({"channel": channel, "events": ['{"type":"VERIFY"}']}, separators=(",", ":")).encode()
        deployment.request("POST", url, deployment.sign(url, body), body)

    def streams() -> Any:
        try:
            found = client.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                raise CannotAskError("the log group of the Event API does not exist") from error
            raise
        return found["logStreams"]

    found = deployment.wait_until(streams, minutes=_LOG_MINUTES, every=_LOOK_SECONDS)
    level = deployment.environment.events.log_level
    if not found:
        return Observation("silent", f"no stream {_LOG_MINUTES} minutes after refused events, log level {level}")
    return Observation("written", f"the log group has streams, log level {level}")


def _ask_filters(deployment: Deployment) -> Observation:
    """Let CloudWatch test the filter of initiated calls on the lines that the function has logged about them."""
    group = deployment.names.function_log_group(FUNCTION)
    client = deployment.make_client("logs")
    filters = client.describe_metric_filters(logGroupName=group)["metricFilters"]
    patterns = [each["filterPattern"] for each in filters if each["metricTransformations"][0]["metricName"] == METRIC]
    if not patterns:
        raise CannotAskError(f"{group} has no metric filter {METRIC}")
    events = client.filter_log_events(logGroupName=group, filterPattern="initiated", limit=_LINES)["events"]
    lines = [each["message"] for each in events if _CALL.search(each["message"])]
    if not lines:
        raise CannotAskError(
            f"{group} has no line about an initiated call; place a call, or run the end-to-end suite first"
        )
    matched = client.test_metric_filter(filterPattern=patterns[0], logEventMessages=lines)["matches"]
    seen = f"{len(matched)} of {len(lines)} lines match {patterns[0]}"
    if len(matched) == len(lines):
        return Observation("match", seen)
    return Observation("nested" if _is_nested(lines[0]) else "other", f"{seen}, for example not: {lines[0][:200]}")


def _is_nested(line: str) -> bool:
    """Return whether a line holds the function's line as a text within `message`, so that no field is at its top."""
    try:
        message = json.loads(line).get("message")
        return isinstance(message, str) and isinstance(json.loads(message), dict)
    except (ValueError, AttributeError):
        return False


QUESTIONS: Final = (
    Question(
        id="log-of-the-event-api",
        text="Does AppSync write the log if its role has no logs:CreateLogGroup and gets its policy after the API?",
        how="publishes events that are refused, and looks for a stream in the log group of the Event API",
        source="the documentation names a managed policy that allows logs:CreateLogGroup",
        answers=(
            PossibleAnswer("written", "yes", "the log role of `stacks/events.py` has the permissions that it needs"),
            PossibleAnswer(
                "silent",
                "no",
                "allow logs:CreateLogGroup on the log group in `_add_log_group` (`stacks/events.py`); if it is still "
                "empty, write the policy with a wildcard for the API before the API is created",
            ),
        ),
        ask=_ask_event_log,
        minutes=3,
        not_local="the Events service writes its log to a file (`.local/logs`)",
    ),
    Question(
        id="metric-filters-on-log-lines",
        text="Do the metric filters match the functions' log lines under LogFormat JSON?",
        how="TestMetricFilter with lines of the log of the function calls",
        source="it depends on what Lambda's JSON format does to a line that is JSON already",
        answers=(
            PossibleAnswer("match", "yes", "the metrics of calls count (`stacks/monitoring/log_metrics.py`)"),
            PossibleAnswer(
                "nested",
                "no, Lambda puts our line as a text into the field message",
                "let the functions pass a dictionary to Lambda's own formatter, or set `logging_format` to TEXT "
                "(`stacks/constructs/function.py`); until then the metrics and alarms of calls count nothing",
            ),
            PossibleAnswer("other", "not all", "correct the patterns in `stacks/monitoring/log_metrics.py`"),
        ),
        ask=_ask_filters,
        not_local="the local cloud does not evaluate metric filters",
    ),
)
