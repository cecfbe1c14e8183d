"""Client of the control endpoints of both services: fault switches, strict rules, checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.control.control_calls import control_call
from local.processes.ports import Ports

Rule = dict[str, Any]


class FaultControl:
    """Sets and clears fault rules. Rules of AWS services and functions: `local.emulator.faults`.

    Args:
        ports: ports of the services.
        token: the control token of the state directory.
        always: rules of the Events service that stay when rules are set or cleared; the set ones come before them.
    """

    def __init__(self, ports: Ports, token: str, always: Sequence[Rule] = ()) -> None:
        self._aws = f"{ports.emulator_url}/_local"
        self._events = f"{ports.events_url}/_control"
        self._token = token
        self._always = tuple(always)

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
        self._call("PUT", f"{self._events}/faults", [*rules, *self._always])

    def events(self) -> Any:
        """Rules of the Events service."""
        return self._call("GET", f"{self._events}/faults")

    def set_strict(self, rules: Rule) -> None:
        """Use these rules of strict mode (`local.emulator.strict.rules`); absent fields get their defaults.

        Raises:
            StepError: a rule is refused.
        """
        self._call("PUT", f"{self._aws}/strict", rules)

    def clear(self) -> None:
        """Switch every fault off, apart from the rules that always stay."""
        self._call("DELETE", f"{self._aws}/faults")
        self.set_events()

    def server_errors(self) -> list[dict[str, Any]]:
        """Every response of 500 and above since the state was made, with the faults of that time."""
        listed: list[dict[str, Any]] = self._call("GET", f"{self._aws}/server-errors")
        return listed

    def checkpoint(self) -> None:
        """Make the emulator save everything now.

        Raises:
            StepError: it cannot.
        """
        self._call("POST", f"{self._aws}/checkpoint")

    def _call(self, method: str, url: str, body: Any = None) -> Any:
        return control_call(method, url, self._token, body)
