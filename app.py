"""The CDK app: `cdk synth|diff|deploy -c env=NAME --all` for one of the environments in environments/.

With `-c deployment-access=yes` it has only the stack of the roles that GitHub Actions deploys the environment with.
"""

from __future__ import annotations

import sys

import aws_cdk as cdk

from stacks.app import compose
from stacks.config.load import SettingsError, load, require_github
from stacks.deployment_access import DeploymentAccessStack
from stacks.packaging import PackagingError, build
from stacks.policy.limits.check import add_limits
from stacks.policy.nag import add_rules


def main() -> int:
    """Synthesise one environment; print the errors and return 1 if its settings or the Lambda package are invalid."""
    app = cdk.App()
    try:
        environment = load(app.node.try_get_context("env"))
        if app.node.try_get_context("deployment-access"):
            require_github(environment)
            DeploymentAccessStack(app, environment)
        else:
            asset = build(environment.functions.platform)
            compose(app, environment, asset, app.node.try_get_context("revision"))
    except (SettingsError, PackagingError) as error:
        print(error, file=sys.stderr)
        return 1
    if environment.protected and not environment.aws.pinned:
        missing = " and ".join(environment.aws.unset_variables)
        print(
            f"environments/{environment.name}.toml: {missing} not set, so these templates cannot be deployed",
            file=sys.stderr,
        )
    add_rules(app)
    add_limits(app)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
