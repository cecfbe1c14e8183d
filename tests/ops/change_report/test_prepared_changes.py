"""The change report on prepared changes of prod: each is reported by the right rules, at the right severity."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ops.change_report.comparison import Comparison, Revision
from ops.change_report.finding import Finding, Severity
from ops.change_report.report import find
from tests.ops.change_report.environment import EditedEnvironment
from tests.stacks.synthesis import IMPORTED_POOL

Edit = Callable[[EditedEnvironment], object]

R, D, E, C, B, M, N = tuple(Severity)
OUTBOX_GRANT = "Outbox"


def _table(entity: str, **properties: Any) -> Edit:
    return lambda prod: prod.properties("Data", entity).update(properties)


def _statements(prod: EditedEnvironment) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]]
    statements = prod.properties("Routes", "DeliveryDeliverRole")["Policies"][0]["PolicyDocument"]["Statement"]
    return statements


def _outbox_statement(prod: EditedEnvironment) -> dict[str, Any]:
    return next(statement for statement in _statements(prod) if statement["Sid"] == OUTBOX_GRANT)


def _split_statement(prod: EditedEnvironment) -> None:
    statement = _outbox_statement(prod)
    first, *rest = statement["Action"]
    statement["Action"] = first
    _statements(prod).append({**statement, "Action": rest, "Sid": "OutboxRest"})


def _reorder_statements(prod: EditedEnvironment) -> None:
    _statements(prod).reverse()


def _renamed_logical_id(prod: EditedEnvironment) -> None:
    prod.stack("Data")["Resources"]["Renamed"] = prod.remove("Data", "Blocks")


def _two_indexes(prod: EditedEnvironment) -> None:
    for name in ("First", "Second"):
        prod.properties("Data", "Blocks").setdefault("GlobalSecondaryIndexes", []).append(
            {
                "IndexName": name,
                "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        )


def _one_index(prod: EditedEnvironment) -> None:
    _two_indexes(prod)
    prod.properties("Data", "Blocks")["GlobalSecondaryIndexes"].pop()


def _cors(prod: EditedEnvironment, **changed: Any) -> None:
    prod.properties("Routes", "HttpApi")["CorsConfiguration"].update(changed)


def _event_config(prod: EditedEnvironment) -> dict[str, Any]:
    config: dict[str, Any] = prod.properties("Events", "EventApi")["EventConfig"]
    return config


def _handler(prod: EditedEnvironment, old: str, new: str) -> None:
    properties = prod.properties("Events", "ChatsNamespace")
    assert old in properties["CodeHandlers"]
    properties["CodeHandlers"] = properties["CodeHandlers"].replace(old, new)


def _deletable(prod: EditedEnvironment) -> None:
    prod.resource("Data", "Groups").update(DeletionPolicy="Delete", UpdateReplacePolicy="Delete")
    prod.properties("Data", "Groups")["DeletionProtectionEnabled"] = False


def _pool(prod: EditedEnvironment) -> dict[str, Any]:
    return prod.properties("Identity", "UserPool")


def _client(prod: EditedEnvironment) -> dict[str, Any]:
    return prod.properties("Identity", "UserPoolClient")


def _all_code(prod: EditedEnvironment) -> None:
    for stack in ("Identity", "Routes"):
        for function in prod.of_type(stack, "AWS::Lambda::Function"):
            function["Code"]["S3Key"] = f"{'1' * 64}.zip"


def _eleven_metrics(prod: EditedEnvironment) -> None:
    alarm = prod.properties("Operations", "DeadLetters")
    for name in ("MetricName", "Namespace", "Dimensions", "Statistic", "Period"):
        alarm.pop(name)
    stat = {"Metric": {"MetricName": "Errors", "Namespace": "AWS/Lambda"}, "Period": 60, "Stat": "Sum"}
    alarm["Metrics"] = [{"Id": f"m{number}", "MetricStat": stat, "ReturnData": number == 0} for number in range(11)]


CHANGES: list[tuple[str, Edit, set[tuple[Severity, str]]]] = [
    # what AWS refuses
    (
        "another key of a table",
        lambda prod: prod.properties("Data", "Blocks")["KeySchema"].pop(),
        {(R, "refused.name-taken")},
    ),
    ("a table under another logical id", _renamed_logical_id, {(R, "refused.logical-id"), (D, "data.orphaned")}),
    ("two new indexes", _two_indexes, {(R, "refused.index-changes"), (M, "costs.index")}),
    (
        "an index with another projection",
        lambda prod: prod.properties("Data", "Messages")["GlobalSecondaryIndexes"][0].update(
            Projection={"ProjectionType": "KEYS_ONLY"}
        ),
        {(R, "refused.index-changes"), (D, "data.index")},
    ),
    (
        "sign-in by phone number",
        lambda prod: _pool(prod).update(UsernameAttributes=["phone_number"]),
        {(R, "refused.pool-property")},
    ),
    (
        "user names with upper and lower case",
        lambda prod: _pool(prod).update(UsernameConfiguration={"CaseSensitive": True}),
        {(R, "refused.pool-property")},
    ),
    ("sign-in by alias", lambda prod: _pool(prod).update(AliasAttributes=["email"]), {(R, "refused.pool-property")}),
    ("an attribute of users removed", lambda prod: _pool(prod)["Schema"].pop(), {(R, "refused.pool-attribute")}),
    (
        "an app client with a secret",
        lambda prod: _client(prod).update(GenerateSecret=True),
        {(R, "refused.export-in-use"), (D, "data.replaced")},
    ),
    (
        "an export that is gone",
        lambda prod: prod.stack("Data")["Outputs"].clear(),
        {(R, "refused.export-in-use")},
    ),
    (
        "another stream of the Outbox",
        _table("Outbox", StreamSpecification={"StreamViewType": "NEW_IMAGE"}),
        {(R, "refused.export-in-use"), (B, "behaviour.setting")},
    ),
    (
        "a queue that becomes a FIFO queue",
        lambda prod: prod.properties("Routes", "Delivery").update(FifoQueue=True),
        {(R, "refused.name-taken")},
    ),
    (
        "a function as an image",
        lambda prod: prod.properties("Routes", "MessagesFunction").update(PackageType="Image"),
        {(R, "refused.name-taken")},
    ),
    (
        "a route under another logical id",
        lambda prod: prod.stack("Routes")["Resources"].update(NewRoute=prod.remove("Routes", "HttpMarkRead")),
        {(R, "refused.logical-id"), (B, "behaviour.resource")},
    ),
    (
        "an alarm of eleven metrics",
        _eleven_metrics,
        {(R, "refused.service-limit"), (B, "behaviour.alarm-rule"), (M, "costs.fixed")},
    ),
    # data
    (
        "a protected table removed for good",
        lambda prod: (prod.resource("Data", "Groups").update(DeletionPolicy="Delete"), prod.remove("Data", "Groups")),
        {(D, "data.orphaned")},
    ),
    ("a table renamed", _table("Blocks", TableName="Other"), {(D, "data.renamed")}),
    (
        "point-in-time recovery off",
        lambda prod: prod.properties("Data", "Messages").pop("PointInTimeRecoverySpecification"),
        {(D, "data.point-in-time-recovery")},
    ),
    ("deletion protection off", _table("Messages", DeletionProtectionEnabled=False), {(D, "data.deletion-protection")}),
    (
        "a table that is no longer retained",
        lambda prod: prod.resource("Data", "Messages").update(DeletionPolicy="Delete", UpdateReplacePolicy="Delete"),
        {(D, "data.not-retained")},
    ),
    (
        "deletion protection of the user pool off",
        lambda prod: _pool(prod).pop("DeletionProtection"),
        {(D, "data.deletion-protection")},
    ),
    (
        "a time to live on messages",
        _table("Messages", TimeToLiveSpecification={"AttributeName": "sentAt", "Enabled": True}),
        {(D, "data.time-to-live")},
    ),
    (
        "an index removed",
        lambda prod: prod.properties("Data", "Messages").pop("GlobalSecondaryIndexes"),
        {(D, "data.index")},
    ),
    (
        "the point-in-time recovery of a table without user data off",
        lambda prod: prod.properties("Data", "RateLimits").update(DeletionProtectionEnabled=False),
        {(B, "data.deletion-protection")},
    ),
    # who gets in
    (
        "a route without an authorizer",
        lambda prod: prod.properties("Routes", "HttpSendMessage").update(AuthorizationType="NONE"),
        {(E, "exposed.public-route")},
    ),
    ("every origin", lambda prod: _cors(prod, AllowOrigins=["*"]), {(E, "exposed.cors")}),
    ("credentials for other origins", lambda prod: _cors(prod, AllowCredentials=True), {(E, "exposed.cors")}),
    (
        "subscribing with an API key",
        lambda prod: prod.properties("Events", "ChatsNamespace").update(
            SubscribeAuthModes=[{"AuthType": "AMAZON_COGNITO_USER_POOLS"}, {"AuthType": "API_KEY"}]
        ),
        {(E, "exposed.namespace-modes")},
    ),
    (
        "connecting with an API key",
        lambda prod: (
            _event_config(prod)["AuthProviders"].append({"AuthType": "API_KEY"}),
            _event_config(prod)["ConnectionAuthModes"].append({"AuthType": "API_KEY"}),
        ),
        {(E, "exposed.event-api-modes")},
    ),
    (
        "tokens of every app client",
        lambda prod: _event_config(prod)["AuthProviders"][0]["CognitoConfig"].update(AppIdClientRegex=".*"),
        {(E, "exposed.event-api-providers")},
    ),
    (
        "tokens of another issuer",
        lambda prod: prod.properties("Routes", "HttpAuthorizer")["JwtConfiguration"].update(Issuer="https://other"),
        {(E, "exposed.authorizer")},
    ),
    (
        "one action more",
        lambda prod: _outbox_statement(prod)["Action"].append("dynamodb:Scan"),
        {(E, "exposed.wider-grant")},
    ),
    ("every table", lambda prod: _outbox_statement(prod).update(Resource="*"), {(E, "exposed.wider-grant")}),
    (
        "a managed policy",
        lambda prod: prod.properties("Routes", "MessagesRole").update(
            ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]
        ),
        {(E, "exposed.managed-policy")},
    ),
    (
        "a role that others may assume",
        lambda prod: prod.properties("Routes", "MessagesRole")["AssumeRolePolicyDocument"]["Statement"][0].update(
            Principal={"AWS": "*"}
        ),
        {(E, "exposed.assume-role")},
    ),
    (
        "a queue without its refusal of plain http",
        lambda prod: prod.properties("Routes", "DeliveryPolicy")["PolicyDocument"].update(Statement=[]),
        {(E, "exposed.resource-policy")},
    ),
    (
        "a function that any source may call",
        lambda prod: prod.properties("Routes", "HttpMessagesPermission").pop("SourceArn"),
        {(E, "exposed.function-permission")},
    ),
    (
        "a handler that compares no user",
        lambda prod: _handler(prod, " || segments[1] !== userId", ""),
        {(E, "exposed.subscribe-rule")},
    ),
    (
        "a namespace without handlers",
        lambda prod: prod.properties("Events", "ChatsNamespace").pop("CodeHandlers"),
        {(E, "exposed.handler-removed")},
    ),
    (
        "passwords of six letters",
        lambda prod: _pool(prod)["Policies"]["PasswordPolicy"].update(MinimumLength=6, RequireSymbols=False),
        {(E, "exposed.password")},
    ),
    ("no second factor", lambda prod: _pool(prod).update(MfaConfiguration="OFF"), {(E, "exposed.second-factor")}),
    (
        "sign-in with the password itself",
        lambda prod: _client(prod)["ExplicitAuthFlows"].append("ALLOW_USER_PASSWORD_AUTH"),
        {(E, "exposed.sign-in-flows")},
    ),
    # what breaks clients
    ("a route removed", lambda prod: prod.remove("Routes", "HttpSearchUsers"), {(C, "clients.route-removed")}),
    (
        "a route with another address",
        lambda prod: prod.properties("Routes", "HttpSearchUsers").update(RouteKey="GET /api/people"),
        {(C, "clients.route-removed")},
    ),
    (
        "an origin removed",
        lambda prod: _cors(prod, AllowOrigins=["https://pantherkolab.com"]),
        {(C, "clients.cors")},
    ),
    (
        "an output removed",
        lambda prod: prod.stack("Routes")["Outputs"].pop("ApiAddress"),
        {(C, "clients.output-removed")},
    ),
    ("a namespace removed", lambda prod: prod.remove("Events", "UsersNamespace"), {(C, "clients.namespace-removed")}),
    (
        "a sign-in flow removed",
        lambda prod: _client(prod).update(ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"]),
        {(C, "clients.app-client")},
    ),
    # what behaves differently
    ("other code", _all_code, {(B, "behaviour.code")}),
    (
        "a shorter timeout",
        lambda prod: prod.properties("Routes", "MessagesFunction").update(Timeout=1),
        {(B, "behaviour.setting")},
    ),
    (
        "another setting of a function",
        lambda prod: prod.properties("Routes", "CallsFunction")["Environment"]["Variables"].update(
            RING_TIMEOUT_SECONDS="5"
        ),
        {(B, "behaviour.environment")},
    ),
    (
        "a schedule that is switched off",
        lambda prod: prod.properties("Routes", "DeliverySweepSchedule").update(State="DISABLED"),
        {(B, "behaviour.setting")},
    ),
    (
        "an alarm that is never raised",
        lambda prod: prod.properties("Operations", "DeadLetters").update(Threshold=99_999),
        {(B, "behaviour.alarm-rule")},
    ),
    (
        "an alarm without recipients",
        lambda prod: prod.properties("Operations", "DeadLetters").update(ActionsEnabled=False),
        {(B, "behaviour.alarm-silenced")},
    ),
    (
        "an alarm removed",
        lambda prod: prod.remove("Operations", "DeadLetters"),
        {(B, "behaviour.alarm-removed"), (M, "costs.fixed")},
    ),
    (
        "a lower request rate",
        lambda prod: prod.properties("Routes", "HttpStage")["DefaultRouteSettings"].update(ThrottlingRateLimit=1),
        {(B, "behaviour.setting")},
    ),
    (
        "a publish rule",
        lambda prod: _handler(prod, "return ctx.events.map(", "return ctx.events.filter(Boolean).map("),
        {(B, "behaviour.handler")},
    ),
    (
        "a queue with shorter retention",
        lambda prod: prod.properties("Routes", "Delivery").update(MessageRetentionPeriod=60),
        {(B, "data.queue-retention")},
    ),
    (
        "one action removed from a grant",
        lambda prod: _outbox_statement(prod)["Action"].pop(),
        {(B, "behaviour.narrower-grant")},
    ),
    (
        "a condition added to a grant",
        lambda prod: _outbox_statement(prod).update(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        {(B, "behaviour.narrower-grant")},
    ),
    # what costs differently
    ("one new index", _one_index, {(M, "costs.index")}),
    (
        "detailed metrics",
        lambda prod: prod.properties("Routes", "HttpStage")["DefaultRouteSettings"].update(DetailedMetricsEnabled=True),
        {(M, "costs.detailed-metrics")},
    ),
    (
        "logs kept for ever",
        lambda prod: prod.properties("Routes", "MessagesLog").pop("RetentionInDays"),
        {(M, "costs.log-retention")},
    ),
    ("a dearer tier of the pool", lambda prod: _pool(prod).update(UserPoolTier="PLUS"), {(M, "costs.pool-tier")}),
    # noise
    ("one statement in two", _split_statement, {(N, "noise.same-grants")}),
    ("statements in another order", _reorder_statements, {(N, "noise.same-grants")}),
    (
        "another description",
        lambda prod: prod.properties("Operations", "DeadLetters").update(AlarmDescription="Other words"),
        {(N, "noise.text")},
    ),
    (
        "a comment of a handler",
        lambda prod: _handler(prod, "// Namespace", "// The namespace"),
        {(N, "noise.handler-comment")},
    ),
    (
        "attribute definitions in another order",
        lambda prod: prod.properties("Data", "Users")["AttributeDefinitions"].reverse(),
        {(N, "noise.order")},
    ),
]


def findings(before: EditedEnvironment, after: EditedEnvironment) -> tuple[Finding, ...]:
    """Return the findings about two environments."""
    return find(Comparison(Revision(before.templates), Revision(after.templates)))


@pytest.mark.parametrize(("edit", "expected"), [pytest.param(*rest, id=name) for name, *rest in CHANGES])
def test_prepared_change_is_reported_by_exactly_these_rules(edit: Edit, expected: set[tuple[Severity, str]]) -> None:
    before, after = EditedEnvironment(), EditedEnvironment()
    edit(after)
    found = findings(before, after)
    assert {(finding.severity, finding.rule) for finding in found} == expected
    for finding in found:
        assert finding.what
        assert finding.why
        assert finding.action


def test_at_least_forty_changes_are_prepared() -> None:
    assert len(CHANGES) >= 40


def test_unchanged_environment_has_no_findings() -> None:
    assert findings(EditedEnvironment(), EditedEnvironment()) == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("staging", IMPORTED_POOL, '"create" to "import"'), (IMPORTED_POOL, "staging", '"import" to "create"')],
)
def test_another_source_of_the_user_pool_is_refused(before: str, after: str, expected: str) -> None:
    found = findings(EditedEnvironment(before, "staging"), EditedEnvironment(after, "staging"))
    (refusal,) = (each for each in found if each.rule == "refused.pool-source")
    assert expected in refusal.what


def test_protected_table_that_is_not_retained_cannot_be_removed() -> None:
    before, after = EditedEnvironment(), EditedEnvironment()
    for environment in (before, after):
        environment.resource("Data", "Groups").update(DeletionPolicy="Delete")
    after.remove("Data", "Groups")
    assert {each.rule for each in findings(before, after)} == {"refused.deletion-protected", "data.removed"}


def test_export_that_no_deployed_stack_imports_may_go() -> None:
    before, after = EditedEnvironment(), EditedEnvironment()
    del before.templates["PantherKolab-Routes-prod"], after.templates["PantherKolab-Routes-prod"]
    after.stack("Data")["Outputs"].clear()
    assert "refused.export-in-use" not in {each.rule for each in findings(before, after)}


def test_first_deployment_names_new_resources_costs_and_the_one_grant_that_aws_allows_on_everything_only() -> None:
    found = find(Comparison(Revision({}), Revision(EditedEnvironment().templates)))
    (grant,) = (each for each in found if each.severity < Severity.BEHAVES_DIFFERENTLY)
    assert grant.details == ("dynamodb:ListStreams on *",)
    assert {each.rule for each in found} - {grant.rule} == {"behaviour.resource", "costs.fixed"}


def test_removed_stack_is_one_finding() -> None:
    after = EditedEnvironment()
    del after.templates["PantherKolab-Operations-prod"]
    rules = [each.rule for each in findings(EditedEnvironment(), after)]
    assert "clients.stack-removed" in rules
    assert "behaviour.resource" not in rules


def test_termination_protection_that_is_switched_off_puts_data_at_risk() -> None:
    templates = EditedEnvironment().templates
    both = [
        Revision(templates, protected_stacks=protected)
        for protected in (frozenset(templates), frozenset[str]({"PantherKolab-Data-prod"}))
    ]
    found = find(Comparison(*both))
    assert {each.rule for each in found} == {"data.termination-protection"}
    assert len(found) == len(templates) - 1


def test_new_acknowledgement_of_a_security_rule_is_exposed() -> None:
    templates = EditedEnvironment().templates
    (found,) = find(
        Comparison(Revision(templates), Revision(templates, acknowledged=frozenset({"AwsSolutions-X at y"})))
    )
    assert (found.severity, found.rule) == (Severity.EXPOSED, "exposed.acknowledgement")


def test_every_changed_property_of_every_resource_is_reported() -> None:
    """A property that no rule knows is never silent."""
    before = EditedEnvironment()
    for stack, template in before.templates.items():
        for logical_id in template["Resources"]:
            after = copy.deepcopy(before.templates)
            after[stack]["Resources"][logical_id].setdefault("Properties", {})["Unknown"] = "value"
            found = find(Comparison(Revision(before.templates), Revision(after)))
            assert [each.resource for each in found] == [logical_id], logical_id
