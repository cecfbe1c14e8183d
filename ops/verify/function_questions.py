"""Questions about Lambda: SnapStart on arm64."""

from __future__ import annotations

from typing import Any, Final

from ops.verify.deployment import Deployment
from ops.verify.question import CannotAskError, Observation, PossibleAnswer, Question
from ops.verify.temporary import stack

_RUNTIME: Final = "python3.13"


def _ask_snap_start(deployment: Deployment) -> Observation:
    with stack(deployment, "snapstart", _template()) as created:
        if not created.complete:
            if "snap" in created.failure.lower():
                return Observation("refused", created.failure)
            raise CannotAskError(f"the temporary function was not created: {created.failure}")
        client = deployment.make_client("lambda")
        version = client.get_function_configuration(FunctionName=created.outputs["Version"])
        state = version.get("SnapStart", {})
        seen = f"{version['Runtime']}, {'/'.join(version['Architectures'])}: {state.get('OptimizationStatus')}"
        return Observation("on" if state.get("OptimizationStatus") == "On" else "off", seen)


def _template() -> dict[str, Any]:
    """Return a template with one version of a function that has the settings of the route functions."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": _RUNTIME,
                    "Architectures": ["arm64"],
                    "Handler": "index.handle",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": "def handle(event, context):\n    return 1\n"},
                    "SnapStart": {"ApplyOn": "PublishedVersions"},
                },
            },
            "Version": {
                "Type": "AWS::Lambda::Version",
                "Properties": {"FunctionName": {"Ref": "Function"}},
            },
        },
        "Outputs": {"Version": {"Value": {"Ref": "Version"}}},
    }


QUESTIONS: Final = (
    Question(
        id="snapstart-on-arm64",
        text="Does SnapStart work for Python 3.13 on arm64?",
        how="creates a stack with one version of such a function, and reads its SnapStart status",
        source="it depends on runtime and architecture together, and was not tried",
        answers=(
            PossibleAnswer("on", "yes", "`functions.snap_start` can be used (`environments/`)"),
            PossibleAnswer(
                "refused",
                "no, Lambda refuses it",
                "refuse `functions.snap_start` in `stacks/config/contradictions.py`, or build for x86_64 "
                "(`stacks/constructs/function.py`)",
            ),
            PossibleAnswer(
                "off",
                "no, it is accepted without effect",
                "remove `functions.snap_start`, or build for x86_64 (`stacks/constructs/function.py`)",
            ),
        ),
        ask=_ask_snap_start,
        creates="a stack with a role and a function version",
        cost=0.01,
        minutes=3,
    ),
)
