"""The rules of cdk-nag that every synthesis is checked with; a finding that nobody accepted stops it."""

from __future__ import annotations

import aws_cdk as cdk
import cdk_nag


def add_rules(app: cdk.App) -> None:
    """Check the app with the rule packs AwsSolutions and Serverless when it is synthesised."""
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.ServerlessChecks(app))
