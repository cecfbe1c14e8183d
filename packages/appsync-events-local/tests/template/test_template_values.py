"""CloudFormation's intrinsic functions resolve like in CloudFormation, or are reported with a remedy."""

from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.template import TemplateSettings
from appsync_events_local.template.files import Stack
from appsync_events_local.template.short_forms import load_yaml
from appsync_events_local.template.values.intrinsics import UnresolvedError
from appsync_events_local.template.values.scope import Scope, Stacks

SURROUNDINGS: dict[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "live"]},
        "Names": {"Type": "CommaDelimitedList", "Default": "a, b ,c"},
        "Size": {"Type": "Number", "Default": 3},
        "Secret": {"Type": "String"},
        "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x/version"},
    },
    "Mappings": {"Map": {"dev": {"Name": "small"}}},
    "Conditions": {
        "Live": {"Fn::Equals": [{"Ref": "Stage"}, "live"]},
        "Dev": {"Fn::Not": [{"Condition": "Live"}]},
        "Both": {"Fn::And": [{"Condition": "Live"}, {"Condition": "Dev"}]},
        "Either": {"Fn::Or": [{"Condition": "Live"}, {"Condition": "Dev"}]},
        "Circle": {"Fn::Not": [{"Condition": "Circle"}]},
    },
    "Resources": {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Sub": "orders-${Stage}"}}},
        "Unnamed": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "judge"}},
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"FunctionName": {"Fn::GetAtt": ["Function", "Arn"]}, "Name": "live"},
        },
        "Pool": {"Type": "AWS::Cognito::UserPool"},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "main"}},
        "Loop": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Ref": "Loop"}}},
        "Odd": {"Type": "Custom::Odd"},
    },
}
OTHER = {
    "Resources": {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "other"}}},
    "Outputs": {"Bus": {"Value": {"Ref": "Bus"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:Bus"}}}},
}


def scope(**settings: Any) -> Scope:
    stacks = [Stack("mine", Path("mine.json"), SURROUNDINGS), Stack("other", Path("other.json"), OTHER)]
    return Stacks(stacks, TemplateSettings("localhost:1", **settings)).scopes[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "Names"}, ["a", "b", "c"]),
        ({"Ref": "Size"}, "3"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::AccountId"}, "000000000000"),
        ({"Ref": "AWS::StackName"}, "mine"),
        ({"Ref": "Table"}, "orders-dev"),
        ({"Ref": "Function"}, "judge"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "arn:aws:dynamodb:us-east-1:000000000000:table/orders-dev"),
        ({"Fn::GetAtt": "Function.Arn"}, "arn:aws:lambda:us-east-1:000000000000:function:judge"),
        ({"Ref": "Alias"}, "arn:aws:lambda:us-east-1:000000000000:function:judge:live"),
        ({"Fn::GetAtt": ["Bus", "Arn"]}, "arn:aws:events:us-east-1:000000000000:event-bus/main"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 1, True]]}, "a-dev-1-true"),
        ({"Fn::Join": [",", {"Ref": "Names"}]}, "a,b,c"),
        ({"Fn::Sub": "${Stage}/${Table.Arn}/${!Literal}"},
         "dev/arn:aws:dynamodb:us-east-1:000000000000:table/orders-dev/${Literal}"),
        ({"Fn::Sub": ["${Own}-${Stage}", {"Own": {"Ref": "Table"}}]}, "orders-dev-dev"),
        ({"Fn::Select": [1, {"Fn::Split": ["|", "a|b|c"]}]}, "b"),
        ({"Fn::Select": ["0", ["x", "y"]]}, "x"),
        ({"Fn::If": ["Live", "big", "small"]}, "small"),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::FindInMap": ["Map", {"Ref": "Stage"}, "Name"]}, "small"),
        ({"Fn::FindInMap": ["Map", "none", "Name", {"DefaultValue": "plain"}]}, "plain"),
        ({"Fn::Base64": {"Ref": "Stage"}}, "ZGV2"),
        ({"Fn::ImportValue": {"Fn::Sub": "other:Bus"}}, "other"),
        ({"Fn::Length": {"Ref": "Names"}}, 3),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"dev"}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"Fn::GetAtt": ["Pool", "ProviderURL"]}, None),
    ],
)  # fmt: skip
def test_intrinsic_function_resolves_to_its_value(written: Any, value: Any) -> None:
    names = scope()
    if value is None:
        value = f"https://cognito-idp.us-east-1.amazonaws.com/{names.reference('Pool')}"
    assert names.intrinsics.value(written) == value


@pytest.mark.parametrize(
    ("written", "message", "remedy"),
    [
        ({"Ref": "Nothing"}, "no resource, parameter or pseudo parameter 'Nothing'", "fix"),
        ({"Ref": "Secret"}, "parameter Secret has no default", "--parameter Secret=VALUE"),
        ({"Ref": "Version"}, "is in the Parameter Store, under /x/version", "--parameter Version=VALUE"),
        ({"Ref": "Loop"}, "refers to itself", "fix"),
        ({"Fn::If": ["Circle", 1, 2]}, "refers to itself", "fix"),
        ({"Fn::If": ["None", 1, 2]}, "no condition 'None'", "fix"),
        (
            {"Fn::GetAtt": ["Odd", "Value"]},
            r"attribute Value of Odd \(Custom::Odd\) is known only after deployment",
            "parameter",
        ),
        ({"Fn::ImportValue": "none:here"}, "no template exports 'none:here'", "--import"),
        ({"Fn::FindInMap": ["Map", "none", "Name"]}, "no Map.none.Name", "fix"),
        ({"Fn::Select": [3, ["a"]]}, "element 3 of a list of 1", "fix"),
        ({"Fn::Transform": {"Name": "X"}}, "Fn::Transform is not supported", "write the value"),
        ({"Fn::Join": ["-"]}, "needs 2 arguments, not 1", "fix"),
        ({"Fn::Join": ["-", [["a"]]]}, "needs text, not list", "fix"),
        ("{{resolve:secretsmanager:x}}", "dynamic reference", "--parameter"),
        ({"Fn::Join": ["", ["{{resolve:", "ssm:x}}"]]}, "dynamic reference", "--parameter"),
    ],
)
def test_unresolvable_value_is_reported_with_a_remedy(written: Any, message: str, remedy: str) -> None:
    with pytest.raises(UnresolvedError, match=message) as caught:
        scope().intrinsics.value(written)
    assert remedy in caught.value.remedy


def test_settings_resolve_names_that_the_template_does_not_define() -> None:
    names = scope(
        account="123456789012", region="eu-west-1", parameters={"Secret": "s", "Stage": "live"},
        imports={"none:here": "there"}, resources={"Unnamed": "existing", "mine.Pool": "eu-west-1_Mine"},
    )  # fmt: skip
    written = {"Fn::Sub": "${AWS::AccountId} ${AWS::Region} ${Secret} ${Stage} ${Unnamed} ${Pool} ${Value}"}
    given = [written["Fn::Sub"], {"Value": {"Fn::ImportValue": "none:here"}}]
    assert names.intrinsics.value({"Fn::Sub": given}) == ("123456789012 eu-west-1 s live existing eu-west-1_Mine there")


def test_parameter_outside_its_allowed_values_is_refused() -> None:
    with pytest.raises(UnresolvedError, match="must be one of dev, live"):
        scope(parameters={"Stage": "other"}).intrinsics.value({"Ref": "Stage"})


def test_generated_names_stay_the_same_and_differ_between_resources() -> None:
    assert scope().reference("Unnamed") == scope().reference("Unnamed") != scope().reference("Odd")


def test_yaml_short_forms_equal_the_long_forms() -> None:
    text = """
    a: !Ref X
    b: !GetAtt Api.Dns.Http
    c: !Sub '${X}'
    d: !Join ['-', [!Ref X, b]]
    e: !If [Live, !Ref X, !Ref 'AWS::NoValue']
    f: !Sub ['${Y}', {Y: !Ref X}]
    g: !Condition Live
    h: 2012-10-17
    """
    assert load_yaml(text) == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["Api", "Dns.Http"]},
        "c": {"Fn::Sub": "${X}"},
        "d": {"Fn::Join": ["-", [{"Ref": "X"}, "b"]]},
        "e": {"Fn::If": ["Live", {"Ref": "X"}, {"Ref": "AWS::NoValue"}]},
        "f": {"Fn::Sub": ["${Y}", {"Y": {"Ref": "X"}}]},
        "g": {"Condition": "Live"},
        "h": "2012-10-17",
    }
