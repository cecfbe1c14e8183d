"""The list of strict mode's rules: switches, sources, and what documents are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from local.emulator.strict.rules import DEFAULT, FAMILIES, OFF, Family, StrictRulesError, as_document, parse_rules
from local.emulator.strict.rules.rule import Switches


def switches(kind: type[Switches]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind) if field.type is bool}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_rule_has_a_switch_and_a_source(family: Family) -> None:
    assert {rule.field for rule in family.rules} == switches(family.switches)
    for rule in family.rules:
        assert all((rule.request, rule.effect, rule.alone)), rule
        assert rule.source.startswith(("Amazon ", "AWS ")), rule
        assert rule.link.startswith("https://docs.aws.amazon.com/"), rule


def test_no_two_services_share_a_field() -> None:
    fields = [name for family in FAMILIES for name in family.switches.__struct_fields__]
    assert len(fields) == len(set(fields))


def test_on_switches_every_rule_on_and_off_every_rule_off() -> None:
    for family in FAMILIES:
        assert all(getattr(getattr(DEFAULT, family.name), rule.field) is True for rule in family.rules)
        assert all(getattr(getattr(OFF, family.name), rule.field) is False for rule in family.rules)


def test_a_document_of_rules_is_read_as_written() -> None:
    rules = parse_rules({"transactionConflicts": False, "meetingMilliseconds": 5})
    assert (rules.dynamodb.transaction_conflicts, rules.chime.meeting_milliseconds) == (False, 5)
    assert parse_rules(as_document(rules)) == rules


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"transactionConflict": True}, "transactionConflict"),
        ({"transactionMilliseconds": -1}, r">= 0 - at `\$.transactionMilliseconds`"),
        ({"meetingMilliseconds": 10_001}, r"<= 10000 - at `\$.meetingMilliseconds`"),
        ({"throughputScale": 0}, r"> 0.0 - at `\$.throughputScale`"),
        ({"partitionThroughput": "yes"}, r"`bool`, got `str` - at `\$.partitionThroughput`"),
        ([], "object"),
    ],
)
def test_unusable_rules_are_refused_with_the_field(document: Any, said: str) -> None:
    with pytest.raises(StrictRulesError, match=said):
        parse_rules(document)
