"""Client of the control endpoints of both services: fault switches, checkpoints."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from local.ports import Ports
from local.steps import StepError

_TIMEOUT_SECONDS = 30

Rule = dict[str, Any]


class FaultControl:
    """Sets and clears fault rules. Rules of AWS services and functions: `local.emulator.faults`."""

    def __init__(self, ports: Ports, token: str) -> None:
        self._aws = f"{ports.emulator_url}/_local"
        self._events = f"{ports.events_url}/_control"
        self._token = token

    def set_aws(self, *rules: Rule) -> None:
        """Use these rules for calls of AWS services and functions, instead of the present ones.

        Raises:
            StepError: a rule is refused.
        """
        self._call("PUT", f"{self._aws}/faults", list(rules))

    def aws(self) -> list[Rule]:
        """Rules of AWS services and functions, each with `hits`."""
        listed: list[Rule] = self._call("GET", f"{self._aws}/faults")["rules"]
        return listed

    def set_events(self, *rules: Rule) -> None:
        """Use these rules in the Events service, instead of the present ones.

        Raises:
            StepError: a rule is refused.
        """
        self._call("PUT", f"{self._events}/faults", list(rules))

    def events(self) -> Any:
        """Rules of the Events service."""
        return self._call("GET", f"{self._events}/faults")

    def clear(self) -> None:
        """Switch every fault off."""
        self._call("DELETE", f"{self._aws}/faults")
        self._call("DELETE", f"{self._events}/faults")

    def checkpoint(self) -> None:
        """Make the emulator save everything now.

        Raises:
            StepError: it cannot.
        """
        self._call("POST", f"{self._aws}/checkpoint")

    def _call(self, method: str, url: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own loopback services
            url,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"content-type": "application/json", "x-local-control": self._token},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            raise StepError(f"{method} {url} was refused ({error.code}): {text}", "correct the request") from error
        except OSError as error:
            raise StepError(f"{url} does not answer: {error}", "is the local cloud up?") from error
        return json.loads(content) if content else None
