"""Changes that let more callers in, or let a role do more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ops.change_report.comparison import WHOLE, Comparison, ResourceChange, as_list, references, text
from ops.change_report.finding import Finding, Severity
from ops.change_report.rules.refused import POOL
from ops.change_report.statements import document, widened

ROLE: Final = "AWS::IAM::Role"
POLICY: Final = "AWS::IAM::Policy"
RESOURCE_POLICIES: Final = ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy")
_MODES: Final = ("ConnectionAuthModes", "DefaultPublishAuthModes", "DefaultSubscribeAuthModes")
_NAMESPACE_MODES: Final = ("PublishAuthModes", "SubscribeAuthModes")
_CORS: Final = ("AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders")


def find(comparison: Comparison) -> Iterator[Finding]:
    """Return the changes that widen access."""
    for change in comparison.of_type("AWS::ApiGatewayV2::Route"):
        yield from _route(change)
    for change in comparison.of_type("AWS::ApiGatewayV2::Authorizer"):
        yield from _authorizer(change)
    for change in comparison.of_type("AWS::ApiGatewayV2::Api"):
        yield from _cors(change)
    for change in comparison.of_type("AWS::AppSync::Api"):
        yield from _event_api(change)
    for change in comparison.of_type("AWS::AppSync::ChannelNamespace"):
        yield from _namespace(change)
    yield from _roles(comparison)
    for change in comparison.of_type(*RESOURCE_POLICIES):
        if not change.removed:
            yield from _resource_policy(change)
    for change in comparison.of_type("AWS::Lambda::Permission"):
        yield from _function_permission(change)
    for change in comparison.updated(POOL):
        yield from _sign_up(change)
    for change in comparison.updated("AWS::Cognito::UserPoolClient"):
        yield from _client(change)
    for change in comparison.updated("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Logs::LogGroup"):
        yield from _encryption(change)
    for change in comparison.of_type("AWS::Lambda::Url"):
        if change.new.get("AuthType") == "NONE":
            yield _finding("function-url", change, "A function gets a public URL", "Anyone can call it.", "AuthType")
    yield from _acknowledgements(comparison)


def _finding(
    rule: str, change: ResourceChange, what: str, why: str, *properties: str, details: tuple[str, ...] = ()
) -> Finding:
    return Finding(
        f"exposed.{rule}",
        Severity.EXPOSED,
        what,
        why,
        "Confirm that this is intended, and that a test shows who is refused.",
        change.stack,
        change.logical_id,
        properties,
        details=details,
    )


def _route(change: ResourceChange) -> Iterator[Finding]:
    if change.removed:
        return
    key = text(change.new.get("RouteKey", ""))
    if change.new.get("AuthorizationType", "NONE") == "NONE" and (
        change.added or change.old.get("AuthorizationType", "NONE") != "NONE"
    ):
        yield _finding(
            "public-route",
            change,
            f"{key} needs no token",
            "The route is public: API Gateway calls the function for every request from the internet.",
            "AuthorizationType",
            "AuthorizerId",
        )
    elif not change.added and set(as_list(change.old.get("AuthorizationScopes"))) - set(
        as_list(change.new.get("AuthorizationScopes"))
    ):
        yield _finding("scopes", change, f"{key} asks for fewer scopes", "More tokens fit.", "AuthorizationScopes")


def _authorizer(change: ResourceChange) -> Iterator[Finding]:
    if change.added or change.removed:
        return
    names = [name for name in ("AuthorizerType", "JwtConfiguration", "IdentitySource") if name in change.changed]
    if names:
        yield _finding(
            "authorizer",
            change,
            f"{', '.join(names)} of the authorizer {change.name} changed",
            "Tokens of another issuer or audience are accepted, or another part of the request is read.",
            *names,
            details=(f"before: {text(change.old)}", f"after: {text(change.new)}"),
        )


def _cors(change: ResourceChange) -> Iterator[Finding]:
    if change.removed:
        return
    old, new = (properties.get("CorsConfiguration", {}) for properties in (change.old, change.new))
    for name in _CORS:
        added = [each for each in as_list(new.get(name)) if each not in as_list(old.get(name))]
        if added and not change.added:
            yield _finding(
                "cors",
                change,
                f"CORS: {name} also has {', '.join(added)}",
                "Every web site may call the API with a user's token."
                if "*" in added
                else "Pages of these origins, or further kinds of requests, may call the API from a browser.",
                "CorsConfiguration",
            )
    if change.added and "*" in as_list(new.get("AllowOrigins")):
        yield _finding("cors", change, "CORS: every origin", "Every web site may call the API.", WHOLE)
    if new.get("AllowCredentials") and not old.get("AllowCredentials"):
        yield _finding("cors", change, "CORS: credentials", "Browsers send cookies to the API.", "CorsConfiguration")


def _types(modes: Any) -> set[str]:
    return {mode["AuthType"] for mode in modes or []}


def _event_api(change: ResourceChange) -> Iterator[Finding]:
    if change.removed:
        return
    old, new = (properties.get("EventConfig", {}) for properties in (change.old, change.new))
    for name in (*_MODES, "AuthProviders"):
        added = sorted(_types(new.get(name)) - _types(old.get(name)))
        if added and (not change.added or "API_KEY" in added):
            yield _finding(
                "event-api-modes",
                change,
                f"The Event API also accepts {', '.join(added)} ({name})",
                "Every client with an API key connects without signing in."
                if "API_KEY" in added
                else "Another kind of caller is accepted.",
                "EventConfig",
            )
    earlier, later = ({each["AuthType"]: each for each in side.get("AuthProviders", [])} for side in (old, new))
    changed = sorted(kind for kind in earlier.keys() & later.keys() if earlier[kind] != later[kind])
    if changed:
        yield _finding(
            "event-api-providers",
            change,
            f"The settings of {', '.join(changed)} of the Event API changed",
            "Tokens of another pool, issuer or app client are accepted.",
            "EventConfig",
            details=tuple(f"{text(earlier[kind])} → {text(later[kind])}" for kind in changed),
        )


def _namespace(change: ResourceChange) -> Iterator[Finding]:
    if change.removed:
        return
    for name in _NAMESPACE_MODES:
        old, new = _types(change.old.get(name)), _types(change.new.get(name))
        added = sorted(new - old) if not change.added else sorted(new & {"API_KEY"})
        if added and (old or change.added):
            yield _finding(
                "namespace-modes",
                change,
                f"The namespace {change.new.get('Name')} also accepts {', '.join(added)} ({name})",
                "Every client with an API key passes." if "API_KEY" in added else "Another kind of caller is accepted.",
                name,
            )
        elif old and not new:
            yield _finding(
                "namespace-modes",
                change,
                f"The namespace {change.new.get('Name')} has no {name} of its own any more",
                "The defaults of the Event API decide who passes.",
                name,
            )
    old_code, new_code = change.old.get("CodeHandlers"), change.new.get("CodeHandlers")
    if not change.added and old_code and not new_code:
        yield _finding(
            "handler-removed",
            change,
            f"The namespace {change.new.get('Name')} has no handlers any more",
            "Every signed-in user may subscribe to every channel of it.",
            "CodeHandlers",
        )


def _statements(comparison: Comparison, stack: str, role: str, *, after: bool) -> list[Mapping[str, Any]]:
    side = comparison.after if after else comparison.before
    resources = side.templates.get(stack, {}).get("Resources", {})
    properties = resources.get(role, {}).get("Properties", {})
    statements = [each for policy in properties.get("Policies", []) for each in document(policy["PolicyDocument"])]
    for resource in resources.values():
        attached = resource.get("Properties", {})
        if resource["Type"] == POLICY and role in {name for name, _ in references(attached.get("Roles"))}:
            statements += document(attached["PolicyDocument"])
    return statements


def _roles(comparison: Comparison) -> Iterator[Finding]:
    touched: dict[tuple[str, str], ResourceChange] = {}
    for change in comparison.of_type(ROLE, POLICY):
        names = (
            [change.logical_id]
            if change.type == ROLE
            else [name for side in (change.old, change.new) for name, _ in references(side.get("Roles"))]
        )
        for name in names:
            touched.setdefault((change.stack, name), change)
    for (stack, role), change in touched.items():
        before, after = (_statements(comparison, stack, role, after=side) for side in (False, True))
        new_role = role not in comparison.before.templates.get(stack, {}).get("Resources", {})
        lines = widened(before, after)
        if lines and not new_role:
            yield _finding(
                "wider-grant",
                change,
                f"{change.path} may do more: {len(lines)} grant{'s' if len(lines) > 1 else ''}",
                "A function that is taken over can do it too.",
                *change.changed,
                details=tuple(lines),
            )
        elif new_role:
            broad = [line for line in lines if line.startswith("*") or " on *" in line or ":* on " in line]
            if broad:
                yield _finding(
                    "broad-grant",
                    change,
                    f"The new role {change.path} has broad grants",
                    "It may do more than named actions on named resources.",
                    details=tuple(broad),
                )
        if change.type == ROLE and not change.removed:
            yield from _role_itself(change)


def _role_itself(change: ResourceChange) -> Iterator[Finding]:
    managed = [
        text(each)
        for each in as_list(change.new.get("ManagedPolicyArns"))
        if each not in as_list(change.old.get("ManagedPolicyArns"))
    ]
    if managed:
        yield _finding(
            "managed-policy",
            change,
            f"{change.path} gets the managed policies {', '.join(managed)}",
            "AWS decides what they allow, and changes them.",
            "ManagedPolicyArns",
        )
    old, new = (document(side.get("AssumeRolePolicyDocument")) for side in (change.old, change.new))
    if not change.added and (lines := widened(old, new)):
        yield _finding(
            "assume-role",
            change,
            f"Others may assume {change.path}",
            "Other principals get the permissions of the role.",
            "AssumeRolePolicyDocument",
            details=tuple(lines),
        )


def _resource_policy(change: ResourceChange) -> Iterator[Finding]:
    lines = widened(document(change.old.get("PolicyDocument")), document(change.new.get("PolicyDocument")))
    everyone = [line for line in lines if '"*"' in line and not line.startswith("no longer")]
    if lines and (not change.added or everyone):
        yield _finding(
            "resource-policy",
            change,
            f"{change.path} lets others do more",
            "Other accounts or services reach the resource.",
            "PolicyDocument" if not change.added else WHOLE,
            details=tuple(lines),
        )


def _function_permission(change: ResourceChange) -> Iterator[Finding]:
    if change.removed:
        return
    unbounded = not any(change.new.get(name) for name in ("SourceArn", "SourceAccount", "PrincipalOrgID"))
    bounded_before = any(change.old.get(name) for name in ("SourceArn", "SourceAccount", "PrincipalOrgID"))
    if change.new.get("Principal") == "*" or (unbounded and (change.added or bounded_before)):
        yield _finding(
            "function-permission",
            change,
            f"{change.path}: {change.new.get('Principal')} may call the function from any source",
            "Resources of other accounts can call it through that service.",
            *change.changed,
        )


def _sign_up(change: ResourceChange) -> Iterator[Finding]:
    old, new = change.old, change.new
    closed = old.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly") is True
    if closed and new.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly") is not True:
        yield _finding(
            "sign-up",
            change,
            "Everyone can sign up",
            "Accounts are no longer made by operators.",
            "AdminCreateUserConfig",
        )
    order = {"OFF": 0, "OPTIONAL": 1, "ON": 2}
    if order.get(new.get("MfaConfiguration", "OFF"), 0) < order.get(old.get("MfaConfiguration", "OFF"), 0):
        yield _finding(
            "second-factor",
            change,
            f"The second factor is {new.get('MfaConfiguration', 'OFF')}, before {old.get('MfaConfiguration')}",
            "A stolen password is enough.",
            "MfaConfiguration",
        )
    earlier, later = (side.get("Policies", {}).get("PasswordPolicy", {}) for side in (old, new))
    weaker = [key for key, value in earlier.items() if key.startswith("Require") and value and not later.get(key)]
    if later.get("MinimumLength", 0) < earlier.get("MinimumLength", 0):
        weaker.append("MinimumLength")
    if weaker:
        yield _finding(
            "password", change, f"Passwords may be weaker: {', '.join(weaker)}", "They are easier to guess.", "Policies"
        )


def _client(change: ResourceChange) -> Iterator[Finding]:
    old, new = change.old, change.new
    flows = sorted(set(as_list(new.get("ExplicitAuthFlows"))) - set(as_list(old.get("ExplicitAuthFlows"))))
    if flows:
        yield _finding(
            "sign-in-flows",
            change,
            f"Further ways to sign in: {', '.join(flows)}",
            "Check each flow.",
            "ExplicitAuthFlows",
        )
    for name in ("CallbackURLs", "LogoutURLs", "AllowedOAuthFlows", "AllowedOAuthScopes", "WriteAttributes"):
        added = [each for each in as_list(new.get(name)) if each not in as_list(old.get(name))]
        if added:
            yield _finding(
                "client", change, f"{name} also has {', '.join(map(text, added))}", "The client may do more.", name
            )
    if old.get("PreventUserExistenceErrors") == "ENABLED" != new.get("PreventUserExistenceErrors"):
        yield _finding(
            "user-existence",
            change,
            "Sign-in reveals whether an account exists",
            "Addresses can be tried.",
            "PreventUserExistenceErrors",
        )
    if old.get("EnableTokenRevocation") and not new.get("EnableTokenRevocation"):
        yield _finding(
            "revocation",
            change,
            "Tokens cannot be revoked",
            "A stolen refresh token stays valid.",
            "EnableTokenRevocation",
        )


def _encryption(change: ResourceChange) -> Iterator[Finding]:
    for name in ("KmsMasterKeyId", "KmsKeyId", "SqsManagedSseEnabled"):
        if change.old.get(name) and not change.new.get(name):
            yield _finding(
                "encryption", change, f"{name} of {change.name} is removed", "The key no longer protects it.", name
            )


def _acknowledgements(comparison: Comparison) -> Iterator[Finding]:
    for each in sorted(comparison.after.acknowledged - comparison.before.acknowledged):
        yield Finding(
            "exposed.acknowledgement",
            Severity.EXPOSED,
            f"A finding of the security rules is acknowledged: {each}",
            "The rule no longer stops the synthesis there.",
            "Check that the reason is true.",
        )
