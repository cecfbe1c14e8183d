"""The CDK app: `cdk synth|diff|deploy -c env=NAME --all` for one of the environments in environments/."""

from __future__ import annotations

import sys

import aws_cdk as cdk
import cdk_nag

from stacks.composition import compose
from stacks.packaging import PackagingError, build
from stacks.settings import SettingsProblem, load


def main() -> int:
    """Synthesise one environment; return 1 with the reasons where that is impossible."""
    app = cdk.App()
    try:
        environment = load(app.node.try_get_context("env"))
        asset = build(environment.functions.platform)
    except (SettingsProblem, PackagingError) as problem:
        print(problem, file=sys.stderr)
        return 1
    compose(app, environment, asset)
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.ServerlessChecks(app))
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
