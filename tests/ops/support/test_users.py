"""Commands on accounts: what they print, do and write to the audit log. `tests/ops/test_accounts.py` has the rest."""

from __future__ import annotations

from typing import Any

import pytest

from ops import __main__ as entry
from ops.accounts import Account, Difference
from ops.support import users
from tests.ops.support.recorded import AuditLines


class RecordingControl:
    """Accounts of a pool with one user."""

    def __init__(self, *differences: Difference) -> None:
        self.done: list[str] = []
        self._differences = list(differences)

    def find(self, user: str) -> Account:
        return Account(user_id="sub-1", username="ada", enabled=True)

    def disable(self, user: str) -> str:
        self.done.append(f"disable {user}")
        return user

    def enable(self, user: str) -> str:
        self.done.append(f"enable {user}")
        return user

    def differences(self) -> list[Difference]:
        return self._differences

    def apply(self, difference: Difference) -> None:
        self.done.append(f"apply {difference.user_id}")


def _arguments(*options: str) -> list[str]:
    return ["--env", "dev", "--reason", "a stolen phone", *options]


@pytest.mark.parametrize("command", ["disable", "enable"])
def test_an_account_is_changed_only_with_a_confirmation_and_with_audit_lines(
    audit: AuditLines, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    control: Any = RecordingControl()
    run = getattr(users, command)
    assert run(_arguments("ada@example.edu"), control=lambda environment: control, audit=audit.of) == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert (control.done, audit.lines()) == ([], [])
    assert run(_arguments("ada@example.edu", "--yes"), control=lambda environment: control, audit=audit.of) == 0
    assert control.done == [f"{command} sub-1"]
    action = f"{command}-user"
    assert audit.results() == [(action, "sub-1", "started"), (action, "sub-1", "done")]
    assert "ada@" not in str(audit.lines()), "the audit log names users by id"


def test_a_failed_action_has_an_audit_line_with_its_error(audit: AuditLines) -> None:
    control: Any = RecordingControl()

    def failing(user: str) -> str:
        raise RuntimeError("Cognito is gone")

    control.disable = failing
    with pytest.raises(RuntimeError):
        users.disable(_arguments("ada", "--yes"), control=lambda environment: control, audit=audit.of)
    assert audit.lines()[-1]["result"] == "failed"
    assert "Cognito is gone" in audit.lines()[-1]["detail"]


def test_sync_prints_the_differences_and_writes_them_with_a_confirmation(audit: AuditLines) -> None:
    control: Any = RecordingControl(Difference("sub-2", disable=True))
    assert users.sync(_arguments(), control=lambda environment: control, audit=audit.of) == 1
    assert control.done == []
    assert users.sync(_arguments("--yes"), control=lambda environment: control, audit=audit.of) == 0
    assert control.done == ["apply sub-2"]
    assert users.sync(_arguments(), control=lambda environment: RecordingControl(), audit=audit.of) == 0  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("name", entry.COMMANDS)
def test_every_command_describes_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.main([name, "--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--env" in shown
    assert "Exit codes" in shown


def test_unknown_command_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["explane"]) == 2
    assert "explain" in capsys.readouterr().err
    assert entry.main([]) == 0
