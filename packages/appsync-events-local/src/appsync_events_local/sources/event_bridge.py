"""The EventBridge data source: executes `{operation: 'PutEvents', events}` on one bus.

Source: "AppSync Events: JavaScript function reference for EventBridge data source".
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from appsync_events_local.aws_clients import Credentials, aws_client
from appsync_events_local.sources.data_source import DataSourceError
from appsync_events_local.sources.deadline import deadline

READ_SECONDS: Final = 5
ATTEMPTS: Final = 2
THREADS: Final = 8
VALIDATION: Final = "EventBridge:ValidationException"


class EventBridgeDataSource:
    """An `AMAZON_EVENTBRIDGE` data source: one bus, named by its ARN.

    Args:
        bus: its ARN.
        region: its AWS region.
        endpoint_url: address of EventBridge; `None` is AWS's own.
        credentials: used to sign calls.
    """

    def __init__(self, bus: str, *, region: str, endpoint_url: str | None, credentials: Credentials) -> None:
        self._bus = bus
        self._client = aws_client(
            "events",
            region=region,
            endpoint_url=endpoint_url,
            credentials=credentials,
            connections=THREADS,
            read_seconds=READ_SECONDS,
            attempts=ATTEMPTS,
        )
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="event-bridge")

    async def execute(self, request: dict[str, Any]) -> Any:
        """Put the events.

        Returns:
            `{Entries: [{EventId} | {ErrorCode, ErrorMessage}], FailedEntryCount}`, entries in the order of the events.

        Raises:
            DataSourceError: the request is malformed, or EventBridge refused all events or cannot be reached.
        """
        if request.get("operation") != "PutEvents":
            text = f"operation {request.get('operation')!r} does not exist; an EventBridge data source has 'PutEvents'"
            raise DataSourceError(VALIDATION, text)
        entries = self._entries(request.get("events"))
        async with deadline("EventBridge"):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._put, entries)

    def close(self) -> None:
        """Close the threads and connections; blocks until calls in progress have ended."""
        self._threads.shutdown(wait=True)
        self._client.close()

    def _entries(self, events: Any) -> list[dict[str, Any]]:
        if not isinstance(events, list) or not events:
            raise DataSourceError(VALIDATION, "events must be a list of at least one event")
        return [self._entry(index, event) for index, event in enumerate(events)]

    def _entry(self, index: int, event: Any) -> dict[str, Any]:
        if not isinstance(event, dict):
            raise DataSourceError(VALIDATION, f"events[{index}] is not an object")
        for name in ("source", "detailType"):
            if not isinstance(event.get(name), str):
                raise DataSourceError(VALIDATION, f"events[{index}].{name} must be text")
        if not isinstance(event.get("detail"), dict):
            raise DataSourceError(VALIDATION, f"events[{index}].detail must be an object")
        optional = {"Resources": event.get("resources"), "Time": _time(event.get("time"), f"events[{index}].time")}
        return {
            "EventBusName": self._bus,
            "Source": event["source"],
            "DetailType": event["detailType"],
            "Detail": json.dumps(event["detail"], ensure_ascii=False),
            **{name: value for name, value in optional.items() if value is not None},
        }

    def _put(self, entries: list[dict[str, Any]]) -> Any:
        try:
            answer = self._client.put_events(Entries=entries)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise DataSourceError(f"EventBridge:{code}", error.response["Error"].get("Message", code)) from error
        except (ParamValidationError, ValueError) as error:
            raise DataSourceError(VALIDATION, str(error)) from error
        except BotoCoreError as error:
            text = f"EventBridge could not be reached: {error}"
            raise DataSourceError("EventBridge:SdkClientException", text) from error
        return {"Entries": answer["Entries"], "FailedEntryCount": answer["FailedEntryCount"]}


def _time(text: Any, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataSourceError(VALIDATION, f"{where} must be an RFC 3339 time, not {text!r}") from error
