"""The bootstrap stack of the CDK: whether the account has it, and in a version that the assembly needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.aws import explained_errors
from ops.errors import CommandError

_STACK: Final = "aws:cloudformation:stack"


def required_version(assembly: Path) -> tuple[int, str]:
    """Return the least version that a cloud assembly needs, and the parameter that holds the account's version."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    stacks = [each["properties"] for each in manifest["artifacts"].values() if each["type"] == _STACK]
    needs = [(each["requiresBootstrapStackVersion"], each["bootstrapStackVersionSsmParameter"]) for each in stacks]
    return max(needs)


def check_bootstrap(assembly: Path, client: Any) -> int:
    """Check that the account and region are bootstrapped, and return the version.

    Args:
        assembly: the cloud assembly to deploy.
        client: a botocore SSM client in the region of the stacks.

    Raises:
        CommandError: they are not, or the version is too old.
    """
    needed, parameter = required_version(assembly)
    region = client.meta.region_name
    with explained_errors():
        try:
            found = int(client.get_parameter(Name=parameter)["Parameter"]["Value"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            raise CommandError(f"The CDK is not bootstrapped in {region}. Run: npx cdk bootstrap") from error
    if found < needed:
        raise CommandError(
            f"The bootstrap stack in {region} has version {found}, and version {needed} is needed. "
            "Run: npx cdk bootstrap"
        )
    return found
