"""CloudFormation templates and CDK assemblies with an Event API, written into a temporary directory."""

import json
from pathlib import Path
from typing import Any

from appsync_events_local.template import Templates, TemplateSettings, read_apis, read_template

OF_API = {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}}
KEY = {"Type": "AWS::AppSync::ApiKey", "Properties": OF_API}
SETTINGS = TemplateSettings("localhost:4570")
CODE = "export function onSubscribe(ctx) {}\n"


def modes(*names: str) -> list[dict[str, str]]:
    return [{"AuthType": name} for name in names]


def api(**changes: Any) -> dict[str, Any]:
    config = {
        "AuthProviders": modes("API_KEY"),
        "ConnectionAuthModes": modes("API_KEY"),
        "DefaultPublishAuthModes": modes("API_KEY"),
        "DefaultSubscribeAuthModes": modes("API_KEY"),
    }
    return {"Type": "AWS::AppSync::Api", "Properties": {"Name": "mine", "EventConfig": config | changes}}


def namespace(name: str = "default", **properties: Any) -> dict[str, Any]:
    own = {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}, "Name": name}
    return {"Type": "AWS::AppSync::ChannelNamespace", "Properties": own | properties}


def write_template(folder: Path, resources: dict[str, Any], **sections: Any) -> Path:
    file = folder / "mine.template.json"
    file.write_text(json.dumps({"Resources": resources, **sections}))
    return file


def read(file: Path, settings: TemplateSettings = SETTINGS) -> Templates:
    return read_apis([read_template(file)], settings)


def write_assembly(folder: Path) -> Path:
    """Two stacks, the second importing from the first, with code among the assets; and a nested assembly."""
    inner = folder / "assembly-Stage"
    inner.mkdir(parents=True)
    (folder / "asset.one.js").write_text(CODE)
    exported = {"Id": {"Value": {"Fn::GetAtt": ["Api", "ApiId"]}, "Export": {"Name": "First:Id"}}}
    first = {"Resources": {"Api": api()}, "Outputs": exported}
    second = {
        "Resources": {
            "Space": namespace(
                "shared", ApiId={"Fn::ImportValue": "First:Id"},
                CodeS3Location={"Fn::Sub": "s3://cdk-assets-${AWS::AccountId}-${AWS::Region}/one.js"},
            )
        }
    }  # fmt: skip
    third = {"Resources": {"Api": api(), "Space": namespace("inner")}}
    files = {
        "one": {"source": {"path": "asset.one.js"}, "destinations": {"d": {"objectKey": "one.js"}}},
        "two": {"source": {"path": "Inner.nested.template.json"}, "destinations": {"d": {"objectKey": "two.json"}}},
    }
    nested = {
        "Parameters": {"Outer": {"Type": "String"}},
        "Resources": {"Api": api(), "Space": namespace("nested", CodeHandlers={"Ref": "Outer"})},
        "Outputs": {"Id": {"Value": {"Fn::GetAtt": ["Api", "ApiId"]}}},
    }
    url = ["", ["https://s3.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, "/cdk-assets/two.json"]]
    second["Resources"]["Inner"] = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": {"Fn::Join": url}, "Parameters": {"Outer": {"Fn::Join": ["", [CODE]]}}},
    }
    second["Resources"]["Also"] = namespace("also", ApiId={"Fn::GetAtt": ["Inner", "Outputs.Id"]})
    (folder / "Inner.nested.template.json").write_text(json.dumps(nested))
    (folder / "First.template.json").write_text(json.dumps(first))
    (folder / "Second.template.json").write_text(json.dumps(second))
    (folder / "Second.assets.json").write_text(json.dumps({"files": files}))
    (inner / "Third.template.json").write_text(json.dumps(third))
    artifacts: dict[str, Any] = {
        name: {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/eu-west-1",
            "properties": {"templateFile": f"{name}.template.json", "stackName": f"app-{name}"},
        }
        for name in ("First", "Second")
    }
    artifacts["assembly-Stage"] = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Stage"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    artifacts = {
        "Third": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": "Third.template.json"},
        }
    }
    (inner / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder
