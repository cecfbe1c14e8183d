"""References in deployed templates, and the comparison of a template with what an API returns."""

from __future__ import annotations

from typing import Any

import pytest

from ops.deployed.values import UNKNOWN, References, differences, resolved

TEMPLATE = {
    "Resources": {
        "Calls": {"Type": "AWS::Lambda::Function"},
        "Role": {"Type": "AWS::IAM::Role"},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Api": {"Type": "AWS::AppSync::Api"},
    },
    "Outputs": {
        "Stream": {"Value": {"Fn::GetAtt": ["Outbox", "StreamArn"]}},
        "Address": {"Value": {"Fn::Join": ["", ["https://", {"Ref": "Api"}]]}},
    },
}
REFERENCES = References(
    TEMPLATE,
    {"Calls": "PantherKolab-calls-dev", "Role": "role-1", "Queue": "https://sqs.eu-central-1.amazonaws.com/1/Delivery"},
    {"Stream": "arn:stream", "Address": "https://x"},
    {"Events:ApiId": "api1"},
    "eu-central-1",
    "111111111111",
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "AWS::Region"}, "eu-central-1"),
        ({"Ref": "Calls"}, "PantherKolab-calls-dev"),
        ({"Fn::GetAtt": ["Calls", "Arn"]}, "arn:aws:lambda:eu-central-1:111111111111:function:PantherKolab-calls-dev"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::111111111111:role/role-1"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws:sqs:eu-central-1:111111111111:Delivery"),
        ({"Fn::GetAtt": ["Outbox", "StreamArn"]}, "arn:stream"),
        ({"Fn::GetAtt": ["Api", "Dns.Http"]}, UNKNOWN),
        ({"Fn::ImportValue": "Events:ApiId"}, "api1"),
        ({"Fn::ImportValue": "Events:Gone"}, UNKNOWN),
        ({"Fn::Join": ["/", ["a", {"Ref": "Role"}]]}, "a/role-1"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Gone"}]]}, UNKNOWN),
        ({"Fn::Sub": "${AWS::AccountId}-${Calls}"}, "111111111111-PantherKolab-calls-dev"),
        ({"Fn::Sub": "${Api.Dns.Http}"}, UNKNOWN),
        ({"a": [{"Ref": "Role"}]}, {"a": ["role-1"]}),
    ],
)
def test_reference_has_the_value_that_aws_gave_it(value: Any, expected: Any) -> None:
    assert resolved(value, REFERENCES) == expected


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ({"a": 1, "b": {"c": True}}, {"a": "1", "b": {"c": "true"}, "further": 2}, []),
        ({"a": UNKNOWN}, {}, []),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, []),
        ({"a": [{"k": 1}, {"k": 2}]}, {"a": [{"k": 2, "m": 0}, {"k": 1}]}, []),
        ({"a": ["x"]}, {"a": ["x", "y"]}, ["a: expected ['x'], found ['x', 'y']"]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b: expected 1, found 2"]),
        ({"a": {"b": 1}}, {}, ["a: expected {'b': 1}, found nothing"]),
        ({"a": False}, {}, ["a: expected False, found nothing"]),
    ],
)
def test_differences(expected: Any, actual: Any, lines: list[str]) -> None:
    assert list(differences(expected, actual)) == lines


def test_long_values_are_shortened() -> None:
    (line,) = differences({"code": "x" * 1_000}, {"code": "y"})
    assert len(line) < 250
