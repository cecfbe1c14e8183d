"""Event APIs in templates and assemblies: everything that is read, and every problem that is reported."""

import json
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.functions.model import InlineCode
from appsync_events_local.template import (
    TemplateRefused,
    Templates,
    TemplateSettings,
    read_apis,
    read_assembly,
    read_template,
)
from appsync_events_local.template.inputs import read_inputs
from service_harness.example_api import TEMPLATE
from service_harness.templates import CODE, SETTINGS, api, modes, namespace, read, write_assembly, write_template


def problems(templates: Templates) -> list[tuple[str, str]]:
    return [(problem.logical_id, problem.property) for problem in templates.problems]


def test_example_template_is_read_completely() -> None:
    templates = read(TEMPLATE)
    assert templates.problems == []
    (found,) = templates.apis
    assert list(found.namespaces) == ["default", "scores", "chat", "orders", "bids", "quiz"]
    assert list(found.data_sources) == ["orders_table", "bids_function"]
    assert len(found.keys) == 1
    assert [function.problems for function in templates.functions.values()] == [(), ()]
    properties = found.registration.body["properties"]
    assert "LogConfig" not in properties["EventConfig"]
    target = found.data_sources["bids_function"].body["properties"]["LambdaConfig"]["LambdaFunctionArn"]
    judge = templates.functions[target].model
    assert judge is not None
    assert (judge.name, judge.handler, judge.environment) == ("ticker-dev-judge", "index.handle", {"LOWEST_BID": "10"})
    assert isinstance(judge.code, InlineCode)


def test_ids_and_keys_depend_on_stack_and_logical_id_alone(tmp_path: Path) -> None:
    key = {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}}}
    first, second = (
        read(
            write_template(tmp_path, {"Api": api(), "Key": key, "Other": resource}),
            TemplateSettings(f"localhost:{port}"),
        )
        for port, resource in ((1, namespace()), (2, namespace("x")))
    )
    assert first.apis[0].id == second.apis[0].id
    assert list(first.apis[0].keys) == list(second.apis[0].keys)
    hosts = first.apis[0].registration.body["hosts"]
    assert hosts == {
        "http": f"{first.apis[0].id}.appsync-api.localhost:1",
        "realtime": f"{first.apis[0].id}.appsync-realtime-api.localhost:1",
    }


def test_all_problems_are_reported_together_with_resource_property_and_remedy(tmp_path: Path) -> None:
    resources = {
        "Api": api(),
        "One": namespace("one", CodeHandlers={"Fn::Sub": "${Missing}"}, PublishAuthModes=[{"AuthType": {"Ref": "No"}}]),
        "Two": namespace("two", CodeS3Location="s3://bucket/gone.js"),
        "Three": namespace("three", ApiId="an-api-that-is-not-here"),
    }
    templates = read(write_template(tmp_path, resources))
    assert sorted(problems(templates)) == [
        ("One", "CodeHandlers"),
        ("One", "PublishAuthModes[0].AuthType"),
        ("Three", "ApiId"),
        ("Two", "CodeS3Location"),
    ]
    assert all(problem.remedy and problem.file.name == "mine.template.json" for problem in templates.problems)


def test_misspelt_properties_are_reported_with_the_likely_name(tmp_path: Path) -> None:
    resources = {
        "Api": api(DefaultPublishAuthMode=modes("API_KEY")),
        "Space": namespace(PublishAuthMode=modes("API_KEY"), HandlerConfigs={"OnPublsh": {}}, Color="red"),
    }
    reported = {f"{p.logical_id}.{p.property}": p.remedy for p in read(write_template(tmp_path, resources)).problems}
    assert reported.pop("Space.Color").startswith("use one of ApiId, CodeHandlers, ")
    assert reported == {
        "Api.EventConfig.DefaultPublishAuthMode": "did you mean DefaultPublishAuthModes?",
        "Space.PublishAuthMode": "did you mean PublishAuthModes?",
        "Space.HandlerConfigs.OnPublsh": "did you mean OnPublish?",
    }


def test_invalid_resources_are_reported(tmp_path: Path) -> None:
    resources = {"Api": api(), "Text": "x", "Untyped": {"Properties": {}}, "Fn::ForEach::Teams": ["Team", [], {}]}
    assert problems(read(write_template(tmp_path, resources))) == [
        ("Text", ""),
        ("Untyped", ""),
        ("Fn::ForEach::Teams", ""),
    ]


def test_a_serverless_function_has_its_globals_and_its_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    own = {"Handler": "index.handle", "CodeUri": "src", "Environment": {"Variables": {"OWN": "1", "BOTH": "own"}}}
    shared = {"Runtime": "python3.13", "Timeout": 9, "Environment": {"Variables": {"SHARED": "2", "BOTH": "shared"}}}
    resources = {"Api": api(), "Judge": {"Type": "AWS::Serverless::Function", "Properties": own}}
    (function,) = read(write_template(tmp_path, resources, Globals={"Function": shared})).functions.values()
    assert function.model is not None
    assert (function.model.runtime, function.model.timeout_seconds, function.model.code) == (
        "python3.13", 9.0, tmp_path / "src",
    )  # fmt: skip
    assert function.model.environment == {"OWN": "1", "SHARED": "2", "BOTH": "own"}
    assert function.problems == ()


def test_template_without_an_event_api_is_a_problem(tmp_path: Path) -> None:
    templates = read(write_template(tmp_path, {"Table": {"Type": "AWS::DynamoDB::Table"}}))
    assert [problem.message for problem in templates.problems] == ["has no Event API (AWS::AppSync::Api)"]


def test_resources_of_a_graphql_api_are_ignored(tmp_path: Path) -> None:
    resources = {
        "Api": api(),
        "Graph": {"Type": "AWS::AppSync::GraphQLApi", "Properties": {"Name": "g"}},
        "Source": {
            "Type": "AWS::AppSync::DataSource",
            "Properties": {"ApiId": {"Fn::GetAtt": ["Graph", "ApiId"]}, "Name": {"Fn::GetAtt": ["Graph", "Odd"]}},
        },
    }
    templates = read(write_template(tmp_path, resources))
    assert templates.problems == []
    assert templates.apis[0].data_sources == {}


def test_resource_with_a_false_condition_is_skipped(tmp_path: Path) -> None:
    resources = {"Api": api(), "Off": {**namespace("off"), "Condition": "Never"}, "On": namespace("on")}
    file = write_template(tmp_path, resources, Conditions={"Never": {"Fn::Equals": ["a", "b"]}})
    assert list(read(file).apis[0].namespaces) == ["on"]


def test_handler_file_replaces_the_code_of_the_template(tmp_path: Path) -> None:
    (tmp_path / "own.js").write_text(CODE)
    resources = {"Api": api(), "One": namespace("one", CodeS3Location="s3://bucket/gone.js")}
    for name in ("one", "mine/one"):
        settings = TemplateSettings("localhost:1", handlers={name: tmp_path / "own.js"})
        templates = read(write_template(tmp_path, resources), settings)
        assert templates.problems == []
        assert templates.apis[0].namespaces["one"].body["properties"]["CodeHandlers"] == CODE
        assert tmp_path / "own.js" in templates.files


def test_handler_file_of_an_unknown_namespace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.js").write_text(CODE)
    settings = TemplateSettings("localhost:1", handlers={"other": tmp_path / "own.js"})
    templates = read(write_template(tmp_path, {"Api": api(), "One": namespace("one")}), settings)
    assert [problem.remedy for problem in templates.problems] == ["use one of the namespaces: one"]


def test_an_assembly_is_read_with_its_assets_imports_and_stages(tmp_path: Path) -> None:
    templates = read_apis(read_assembly(write_assembly(tmp_path / "cdk.out")), SETTINGS)
    assert templates.problems == []
    first, third, nested = templates.apis
    assert first.namespaces["shared"].body["properties"]["CodeHandlers"] == CODE
    assert (first.registration.body["region"], third.registration.body["region"]) == ("eu-west-1", "us-east-1")
    assert (first.registration.origin.stack, list(third.namespaces)) == ("app-First", ["inner"])
    assert len({first.id, third.id, nested.id}) == 3
    assert nested.namespaces["nested"].body["properties"]["CodeHandlers"] == CODE
    assert "also" in nested.namespaces, "an output of the nested stack is resolved"
    assert nested.registration.origin.stack == "app-Second-Inner"


def test_nested_stack_with_a_remote_template_gives_a_remark(tmp_path: Path) -> None:
    inner = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://bucket.example/inner.yaml"}}
    templates = read(write_template(tmp_path, {"Api": api(), "Inner": inner}))
    assert templates.problems == []
    assert [remark.logical_id for remark in templates.remarks] == ["Inner"]


def test_two_namespaces_of_one_name_are_refused(tmp_path: Path) -> None:
    templates = read(write_template(tmp_path, {"Api": api(), "One": namespace("same"), "Two": namespace("same")}))
    assert problems(templates) == [("Two", "Name")]


def test_unknown_parameter_and_resource_names_are_reported(tmp_path: Path) -> None:
    settings = TemplateSettings("localhost:1", parameters={"Stge": "dev"}, resources={"Tabel": "t"})
    templates = read(write_template(tmp_path, {"Api": api()}, Parameters={"Stage": {"Type": "String"}}), settings)
    assert [(problem.message.partition(":")[0], problem.remedy) for problem in templates.problems] == [
        ("--parameter Stge", "use one of Stage"),
        ("--resource Tabel", "use one of Api"),
    ]


def test_two_stacks_of_one_name_are_refused_until_one_is_renamed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    files = [write_template(folder, {"Api": api(), "Space": namespace()}) for folder in (tmp_path, tmp_path / "other")]
    same = read_inputs([], [(None, files[0]), (None, files[1])], SETTINGS)
    assert [problem.remedy for problem in same.problems[:2]] == [
        f"give it another stack name: --template OTHER={file}" for file in files
    ]
    named = read_inputs([], [(None, files[0]), ("other", files[1])], SETTINGS)
    assert named.problems == []
    assert named.apis[0].id != named.apis[1].id


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("a: [", "is not YAML"),
        ("- a", "neither a JSON nor a YAML object"),
        ("Description: nothing", "has no Resources"),
        ("Resources: &all {Api: *all}", "contains values that JSON does not have"),
        ("Resources: {Api: !!binary aGVsbG8=}", "contains values that JSON does not have"),
    ],
)
def test_file_that_is_not_a_template_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(content)
    with pytest.raises(TemplateRefused, match=message) as caught:
        read_template(tmp_path / "x.yaml")
    assert str(tmp_path / "x.yaml") in str(caught.value)


def test_directory_without_an_assembly_and_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateRefused, match="cdk synth"):
        read_assembly(tmp_path)
    with pytest.raises(TemplateRefused, match="cannot be read"):
        read_template(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("manifest.json", {"artifacts": []}, "artifacts is not an object"),
        ("manifest.json", {"artifacts": {"A": None}}, "artifact A is malformed"),
        (
            "manifest.json",
            {"artifacts": {"A": {"type": "aws:cloudformation:stack"}}},
            "artifact A is malformed",
        ),
        ("Second.assets.json", {"files": {"one": 5}}, "asset one is malformed"),
        ("Second.assets.json", {"files": {"one": {"source": {"path": "x"}, "destinations": {"d": {}}}}}, "asset one"),
    ],
)
def test_corrupted_assembly_file_is_named(tmp_path: Path, file: str, content: Any, message: str) -> None:
    folder = write_assembly(tmp_path / "cdk.out")
    (folder / file).write_text(json.dumps(content))
    with pytest.raises(TemplateRefused, match=message) as caught:
        read_assembly(folder)
    assert str(folder / file) in str(caught.value)
