"""The set algebra of policy statements."""

from __future__ import annotations

from typing import Any

import pytest

from ops.change_report.statements import narrowed, widened


def _allow(*actions: str, resource: Any = "arn:x", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


DENY = {"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": "*"}


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        ([_allow("s3:GetObject")], [_allow("s3:GetObject", "s3:PutObject")], 1),
        ([_allow("s3:GetObject", "s3:PutObject")], [_allow("s3:GetObject")], 0),
        ([_allow("s3:*")], [_allow("s3:GetObject")], 0),
        ([_allow("s3:Get*")], [_allow("s3:*")], 1),
        ([_allow("S3:GetObject")], [_allow("s3:getobject")], 0),
        ([_allow("s3:GetObject", resource="*")], [_allow("s3:GetObject")], 0),
        ([_allow("s3:GetObject")], [_allow("s3:GetObject", resource="arn:x/*")], 1),
        ([_allow("s3:GetObject")], [_allow("s3:GetObject", Condition={"Bool": {"a": "b"}})], 0),
        ([_allow("s3:GetObject", Condition={"Bool": {"a": "b"}})], [_allow("s3:GetObject")], 1),
        ([_allow("a:B", "a:C")], [_allow("a:C"), _allow("a:B")], 0),
        ([_allow("a:B", Principal={"Service": "x"})], [_allow("a:B", Principal="*")], 1),
        ([_allow("a:B", Principal="*")], [_allow("a:B", Principal={"AWS": "1"})], 0),
        ([DENY], [], 1),
        ([], [DENY], 0),
        ([], [{"Effect": "Allow", "NotAction": "a:B", "Resource": "*"}], 1),
    ],
)
def test_only_what_was_not_granted_before_is_wider(before: list[Any], after: list[Any], wider: int) -> None:
    assert len(widened(before, after)) == wider


def test_references_are_compared_as_text() -> None:
    joined = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":table/", {"Fn::GetAtt": ["Table", "Arn"]}]]}
    assert widened([_allow("a:B", resource=joined)], [_allow("a:B", resource=joined)]) == []
    assert widened([], [_allow("a:B", resource=joined)]) == ["a:B on arn:${AWS::Partition}:table/${Table.Arn}"]


def test_narrower_is_the_other_direction() -> None:
    assert narrowed([_allow("a:B", "a:C")], [_allow("a:B")]) == ["a:C on arn:x"]
