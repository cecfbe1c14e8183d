"""The journal file and the generations: whole records only, and one generation that counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.state.generations import Generations
from local.emulator.state.journal import Journal, JournalDamagedError, read_journal
from local.emulator.state.policy import Saving, saving_for
from local.emulator.state.snapshot import SnapshotFiles

RECORDS = st.lists(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))


@given(records=RECORDS, cut=st.integers(min_value=0, max_value=200))
def test_a_journal_cut_anywhere_yields_the_records_that_were_whole(
    tmp_path_factory: pytest.TempPathFactory, records: list[Any], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal(path)
    for record in records:
        journal.append(record)
    journal.close()
    content = path.read_bytes()
    kept = content[: max(0, len(content) - cut)]
    path.write_bytes(kept)
    assert list(read_journal(path)) == records[: kept.count(b"\n")]


@given(records=RECORDS)
def test_writing_goes_on_after_a_torn_record(tmp_path_factory: pytest.TempPathFactory, records: list[Any]) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    path.write_bytes(b'["whole"]\n["tor')
    journal = Journal(path)
    for record in records:
        journal.append(record)
    journal.close()
    assert list(read_journal(path)) == [["whole"], *records]


def test_a_damaged_record_in_the_middle_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'[1]\n{"half\n[3]\n')
    with pytest.raises(JournalDamagedError, match="line 2"):
        list(read_journal(path))


def test_a_journal_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert list(read_journal(tmp_path / "absent")) == []


def test_a_generation_counts_only_once_it_is_complete(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    assert generations.current() is None
    first = generations.begin()
    assert generations.current() is None
    generations.complete(first)
    unfinished = generations.begin()
    (unfinished / "dynamodb.json").write_text("half")
    assert Generations(tmp_path).current() == first
    second = Generations(tmp_path).begin()
    assert list(second.iterdir()) == []
    generations.complete(second)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == [second.name]


@pytest.mark.parametrize(
    ("service", "operation", "method", "saving"),
    [
        ("dynamodb", "PutItem", "POST", Saving.JOURNALLED),
        ("dynamodb", "TransactWriteItems", "POST", Saving.JOURNALLED),
        ("dynamodb", "Query", "POST", Saving.NOTHING),
        ("dynamodb", "TransactGetItems", "POST", Saving.NOTHING),
        ("dynamodb", "CreateTable", "POST", Saving.GENERATION),
        ("cognito-idp", "SignUp", "POST", Saving.BEFORE_ANSWER),
        ("cognito-idp", "InitiateAuth", "POST", Saving.BEFORE_ANSWER),
        ("cognito-idp", "AdminGetUser", "POST", Saving.NOTHING),
        ("sqs", "SendMessage", "POST", Saving.BEFORE_ANSWER),
        ("sqs", "SendMessageBatch", "POST", Saving.BEFORE_ANSWER),
        ("sqs", "ReceiveMessage", "POST", Saving.SOON),
        ("scheduler", "", "POST", Saving.BEFORE_ANSWER),
        ("cloudformation", "ExecuteChangeSet", "POST", Saving.GENERATION),
        ("cloudformation", "DescribeStacks", "POST", Saving.NOTHING),
        ("lambda", "Invoke", "POST", Saving.NOTHING),
        ("logs", "PutLogEvents", "POST", Saving.NOTHING),
        ("s3", "", "GET", Saving.NOTHING),
        ("s3", "", "PUT", Saving.BEFORE_ANSWER),
    ],
)
def test_what_each_request_requires_of_the_state_store(
    service: str, operation: str, method: str, saving: Saving
) -> None:
    assert saving_for(service, operation, method) is saving


def test_a_state_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    reads: list[int] = []

    def read() -> dict[str, Any]:
        reads.append(len(reads))
        if len(reads) < 3:
            raise RuntimeError("dictionary changed size during iteration")
        return {"users": 1}

    files = SnapshotFiles()
    files.use(tmp_path)
    assert files.write_one("cognito", read)
    assert json.loads((tmp_path / "cognito.json").read_text())["payload"] == {"users": 1}
    assert len(reads) == 3


def test_another_failure_of_reading_a_state_is_not_repeated(tmp_path: Path) -> None:
    def read() -> dict[str, Any]:
        raise RuntimeError("another reason")

    files = SnapshotFiles()
    files.use(tmp_path)
    with pytest.raises(RuntimeError, match="another reason"):
        files.write_one("cognito", read)
