"""The checks and the symptoms: complete, consistent, and in the generated page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops.doctor.catalogue import CHECKS, GROUPS, group, selected
from ops.doctor.symptoms import SYMPTOMS
from ops.errors import CommandError

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "reference" / "doctor.md").read_text(encoding="utf-8")
ASKED_ONLY = {"D313", "D402", "D405", "D406", "D502", "D503", "D613", "D813", "D101", "D102", "D104", "D204"}
"""Checks that find no symptom of users: precautions, credentials of the operator, and what may not be allowed."""
IDS = {check.id for check in CHECKS}


def test_ids_are_unique_and_belong_to_a_group() -> None:
    assert len(IDS) == len(CHECKS)
    assert all(re.fullmatch(r"D[1-9]\d\d", id) for id in IDS)
    assert all(group(check) in GROUPS.values() for check in CHECKS)


def test_a_check_runs_after_those_that_it_needs() -> None:
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen, check.id
        seen.add(check.id)


def test_every_check_says_what_it_looks_at_its_cause_and_its_remedy() -> None:
    for check in CHECKS:
        assert not check.title.endswith((".", " ")), check.id
        assert len(check.title) > 10, check.id
        assert not check.looks_at.endswith((".", " ")), check.id
        assert len(check.looks_at) > 10, check.id
        assert check.cause.endswith("."), check.id
        assert check.remedy.endswith("."), check.id


@pytest.mark.parametrize(
    ("id", "sources"),
    [
        ("connection", ("G:2134", "G:2135", "G:2136", "G:2137")),
        ("events", ("G:2145", "G:2146", "G:2147", "G:2148")),
        ("latency", ("G:2154", "G:2155", "G:2156", "G:2157")),
        ("unauthorized", ("G:2165", "G:2166", "G:2167", "G:2168")),
        ("server-client", ("final guide",)),
    ],
)
def test_every_cause_of_the_guide_has_a_check_or_a_place_to_look(id: str, sources: tuple[str, ...]) -> None:
    """The solutions that the migration guide lists for each symptom, by line (Troubleshooting, G:2126-2168)."""
    symptom = next(symptom for symptom in SYMPTOMS if symptom.id == id)
    causes = {cause.source: cause for cause in symptom.causes if cause.source}
    assert tuple(causes) == sources
    assert all(cause.checks or cause.elsewhere for cause in causes.values())


def test_symptoms_name_checks_that_exist() -> None:
    named = {id for symptom in SYMPTOMS for cause in symptom.causes for id in cause.checks}
    assert named <= IDS
    assert IDS - named - ASKED_ONLY == set()


def test_page_has_every_check_and_symptom() -> None:
    for check in CHECKS:
        assert f"### {check.id}\n\n{check.title}.\n" in PAGE
    for symptom in SYMPTOMS:
        assert f"### {symptom.text}\n" in PAGE


def test_selection_of_a_group_contains_what_it_needs() -> None:
    assert [check.id for check in selected(["D501"])] == ["D101", "D201", "D501"]
    assert {"D101", "D701", "D711"} <= {check.id for check in selected(["d7"])}
    assert len(selected([])) == len(CHECKS)


def test_unknown_check_is_an_error_with_a_remedy() -> None:
    with pytest.raises(CommandError, match=r"There is no check D999\. To list all: python -m ops\.doctor --list"):
        selected(["D999"])
