"""Every limit is enforced somewhere and tested."""

from __future__ import annotations

import re

from contract import limits
from tests.completeness.source import ROOT, missing, text_of, text_of_tests
from tools.generate.handler_lists import LIMITS

ALL = [name for name in vars(limits) if name.isupper()]
_WORD = re.compile(r"\w+")
_CODE = ("contract/**/*.py", "handlers/**/*.py", "stacks/**/*.py", "appsync_js/*.py", "client/**/*.py")
OF_AWS = {"TRANSACTION_ITEMS_MAX", "EVENT_BYTES_MAX"}
"""Limits of AWS that other limits are derived from; tests compare them."""
_REQUEST_MODELS = ("contract/requests.py", "contract/calls/requests.py")
NOT_NAMED_BY_TESTS = {
    "MEDIA_URL_CHARACTERS", "FILE_NAME_CHARACTERS", "TEMP_ID_CHARACTERS", "ID_CHARACTERS", "GROUP_MEMBERS_MAX",
    "GROUP_NAME_CHARACTERS", "DESCRIPTION_CHARACTERS", "TAGS_MAX", "TAG_CHARACTERS", "CLASS_CODE_CHARACTERS",
    "SEMESTER_CHARACTERS", "BIO_CHARACTERS", "MAJOR_CHARACTERS", "INTEREST_CHARACTERS", "DEVICE_ID_CHARACTERS",
    "GIVEN_NAME_CHARACTERS", "SEARCH_RESULTS_MAX", "CALLS_PAGE_MAX", "HISTORY_PAGE", "CONVERSATIONS_PAGE", "CALLS_PAGE",
    "CHANGE_RETENTION_DAYS", "SEARCH_PREFIX_CHARACTERS", "MEETING_ANNOUNCED_SECONDS",
    "OUTBOX_RETENTION_DAYS", "IDEMPOTENCY_RETENTION_HOURS", "QUEUE_BATCH_MAX",
}  # fmt: skip
"""Limits that tests reach without their names; tests/contract/test_request_limits.py tries those of requests."""


def _words_of_code() -> set[str]:
    others = [path for pattern in _CODE for path in ROOT.glob(pattern) if path.name != "limits.py"]
    return {word for path in others for word in _WORD.findall(path.read_text(encoding="utf-8"))}


def test_every_limit_is_enforced() -> None:
    used = _words_of_code()
    absent = [name for name in ALL if name not in OF_AWS and name not in used]
    assert not absent, missing(
        "no code enforces the limit", absent, "use it in a request model or in handlers/core, or remove it"
    )


def test_every_limit_that_a_request_model_names_exists() -> None:
    named = {name for path in _REQUEST_MODELS for name in re.findall(r"limits\.([A-Z_]+)", text_of(path))}
    absent = sorted(named - set(ALL))
    assert not absent, missing("contract/limits.py lacks", absent, "add it with a docstring: meaning, unit, reason")


def test_a_test_names_every_limit() -> None:
    named = set(_WORD.findall(text_of_tests()))
    absent = [name for name in ALL if name not in NOT_NAMED_BY_TESTS and name not in named]
    assert not absent, missing("no test names the limit", absent, "test the value at the limit and the one above it")


def test_js_handlers_have_every_limit_that_they_read() -> None:
    read = set(re.findall(r"\bLIMITS\.([A-Z_]+)", text_of("appsync_js/*.js")))
    absent = sorted(read - set(LIMITS))
    assert not absent, missing("tools/generate/handler_lists.py: LIMITS lacks", absent, "add it; a JS handler reads it")
    unread = sorted(set(LIMITS) - read)
    assert not unread, missing(
        "appsync_js reads no limit", unread, "read it in the handler, or remove it from LIMITS in handler_lists.py"
    )
