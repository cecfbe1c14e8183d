"""The budget of an environment: a mail before a month costs more than its operator has allowed."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.naming import Names

_PERCENT: Final = 100
_NOTIFICATIONS: Final = ("FORECASTED", "ACTUAL")
"""AWS forecasts only after about five weeks of data (AWS Budgets: best practices); the bill is known at once."""


def add_budget(scope: Construct, names: Names, topic: sns.ITopic, dollars: int) -> None:
    """Create the budget; it notifies the topic when the forecast or the bill of a month exceeds the amount.

    It counts what has the tag `environment` of the stacks. AWS knows the tag in bills only after it was activated as a
    cost allocation tag (AWS Billing: activating user-defined cost allocation tags).

    Args:
        dollars: the amount of a month in US dollars.
    """
    budget = budgets.CfnBudget
    budgets.CfnBudget(
        scope,
        "Budget",
        budget=budget.BudgetDataProperty(
            budget_name=names.of("Budget"),
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budget.SpendProperty(amount=dollars, unit="USD"),
            cost_filters={"TagKeyValue": [f"user:environment${names.environment}"]},
        ),
        notifications_with_subscribers=[
            budget.NotificationWithSubscribersProperty(
                notification=budget.NotificationProperty(
                    notification_type=kind,
                    comparison_operator="GREATER_THAN",
                    threshold=_PERCENT,
                    threshold_type="PERCENTAGE",
                ),
                subscribers=[budget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)],
            )
            for kind in _NOTIFICATIONS
        ],
    )
