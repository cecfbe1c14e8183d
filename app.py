"""The CDK app: `cdk synth|diff|deploy -c env=NAME --all` for one of the environments in environments/."""

from __future__ import annotations

import sys

import aws_cdk as cdk

from stacks.app import compose
from stacks.config.load import SettingsProblem, load
from stacks.packaging import PackagingError, build
from stacks.policy.nag import add_rules


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
    add_rules(app)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
