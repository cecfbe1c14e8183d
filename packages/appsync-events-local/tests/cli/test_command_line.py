"""The command: its help, its list of assumptions, and its errors at start."""

import socket
from pathlib import Path

import pytest
from appsync_events_local.assumptions import all_assumptions
from appsync_events_local.cli.main import main


def arguments(folder: Path, port: int = 0) -> list[str]:
    return ["--port", str(port), "--state", str(folder), "--control-token-file", str(folder / "token"),
            "--cognito-endpoint", "http://127.0.0.1:1", "--aws-endpoint", "http://127.0.0.1:1",
            "--credentials", str(folder / "signers.json")]  # fmt: skip


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for option in ("--port", "--state", "--credentials", "--keep-alive-seconds", "--max-unsent-bytes", "assumptions"):
        assert option in shown


def test_assumptions_are_printed_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assumptions"]) == 0
    shown = capsys.readouterr().out
    for choice in all_assumptions():
        for text in (choice.id, choice.question, choice.behaviour, choice.reason):
            assert text in shown


def test_ids_of_assumptions_are_unique() -> None:
    ids = [choice.id for choice in all_assumptions()]
    assert len(ids) == len(set(ids)) > 25


def test_a_missing_token_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path)) == 2
    assert str(tmp_path / "token") in capsys.readouterr().err


def test_an_empty_token_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "token").write_text("\n")
    assert main(arguments(tmp_path)) == 2
    assert "is empty" in capsys.readouterr().err


def test_a_busy_port_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "token").write_text("t")
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert main(arguments(tmp_path, port)) == 2
    assert str(port) in capsys.readouterr().err
