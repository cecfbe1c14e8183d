"""Reads registrations from templates: Event APIs with their data sources, namespaces and keys."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from appsync_events_local.template.checks import check
from appsync_events_local.template.code import handler_code, read_code
from appsync_events_local.template.files import Stack
from appsync_events_local.template.functions import TemplateFunction, functions_of
from appsync_events_local.template.known_properties import unknown
from appsync_events_local.template.problems import Origin, TemplateProblem
from appsync_events_local.template.required import missing
from appsync_events_local.template.settings import TemplateSettings
from appsync_events_local.template.tables import TableTemplate, tables_of
from appsync_events_local.template.values.intrinsics import NO_VALUE, UnresolvedError, function_name
from appsync_events_local.template.values.scope import Scope, Stacks, properties_of

API: Final = "AWS::AppSync::Api"
DATA_SOURCE: Final = "AWS::AppSync::DataSource"
NAMESPACE: Final = "AWS::AppSync::ChannelNamespace"
KEY: Final = "AWS::AppSync::ApiKey"
WITHOUT_EFFECT: Final = frozenset(
    {"Tags", "OwnerContact", "ServiceRoleArn", "MetricsConfig", "Description", "EventConfig.LogConfig"}
)
"""Properties without effect on clients; they are left out if they cannot be resolved."""


@dataclass(frozen=True)
class Registration:
    """The registration of one resource, as the control API accepts it, with its origin.

    Attributes:
        origin: the resource.
        body: `{"properties": ...}`.
        code_file: the file of a namespace's code; `None` if the code is in the template.
    """

    origin: Origin
    body: dict[str, Any]
    code_file: Path | None = None


@dataclass
class TemplateApi:
    """An Event API with its data sources, namespaces and keys, by the names under which they are registered."""

    id: str
    name: str
    registration: Registration
    data_sources: dict[str, Registration] = field(default_factory=dict)
    namespaces: dict[str, Registration] = field(default_factory=dict)
    keys: dict[str, Registration] = field(default_factory=dict)


@dataclass
class Templates:
    """The content of the templates.

    Attributes:
        apis: Event APIs, in the order of the templates.
        functions: Lambda functions by ARN.
        tables: DynamoDB tables whose keys are known.
        problems: reasons why resources were left out.
        remarks: warnings about resources that may be missing.
        files: every file that was read, for `--watch`.
    """

    apis: list[TemplateApi] = field(default_factory=list)
    functions: dict[str, TemplateFunction] = field(default_factory=dict)
    tables: list[TableTemplate] = field(default_factory=list)
    problems: list[TemplateProblem] = field(default_factory=list)
    remarks: list[TemplateProblem] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)


def read_apis(stacks: Iterable[Stack], settings: TemplateSettings) -> Templates:
    """Read every Event API of the stacks. Problems are collected and not raised; the caller decides how to react."""
    return _Reader(Stacks(stacks, settings)).read()


class _Reader:
    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._result = Templates()
        self._apis: dict[str, TemplateApi] = {}
        self._unread: set[str] = set()
        self._used_handlers: set[str] = set()

    def read(self) -> Templates:
        result = self._result
        result.problems += self._stacks.problems
        result.remarks += self._stacks.remarks
        if self._stacks.scopes:
            result.problems += check(self._stacks)
        for scope in self._stacks.scopes:
            result.files.add(scope.stack.file)
            self._each(scope, API, self._api)
        for scope in self._stacks.scopes:
            self._each(scope, DATA_SOURCE, self._data_source)
            self._each(scope, KEY, self._key)
            self._each(scope, NAMESPACE, self._namespace)
            result.functions |= {function.arn: function for function in functions_of(scope)}
            result.tables += tables_of(scope)
        self._check_complete()
        result.apis = list(self._apis.values())
        return result

    def _each(self, scope: Scope, kind: str, read: Any) -> None:
        for logical_id, resource in scope.resources(kind):
            origin = Origin(scope.stack.file, scope.stack.name, logical_id)
            properties = _Properties(scope, origin, kind, {}, self._result.problems)
            try:
                properties = _Properties(scope, origin, kind, properties_of(resource), self._result.problems)
                if scope.exists(resource):
                    read(scope, origin, properties)
            except UnresolvedError as error:
                properties.problem("", error)

    def _api(self, scope: Scope, origin: Origin, properties: "_Properties") -> None:
        named = scope.name_of(origin.logical_id)
        hosts = {"http": named.attributes["Dns.Http"], "realtime": named.attributes["Dns.Realtime"]}
        api_id = named.attributes["ApiId"]
        values = properties.all()
        if values is None:
            self._unread.add(api_id)
            return
        name = str(values.get("Name", origin.logical_id))
        body = {"name": name, "properties": values, "hosts": hosts, "region": scope.environment.region,
                "accountId": scope.environment.account}  # fmt: skip
        self._apis[api_id] = TemplateApi(api_id, name, Registration(origin, body))

    def _data_source(self, scope: Scope, origin: Origin, properties: "_Properties") -> None:
        api = self._api_of(scope, properties)
        values = None if api is None else properties.all()
        if api is not None and values is not None:
            name = str(values.get("Name", origin.logical_id))
            properties.unique(name, api.data_sources)
            api.data_sources[name] = Registration(origin, {"properties": values})

    def _key(self, scope: Scope, origin: Origin, properties: "_Properties") -> None:
        api = self._api_of(scope, properties)
        values = None if api is None else properties.all()
        if api is not None and values is not None:
            key = scope.name_of(origin.logical_id).attributes["ApiKey"]
            api.keys[key] = Registration(origin, {"properties": values})

    def _namespace(self, scope: Scope, origin: Origin, properties: "_Properties") -> None:
        api = self._api_of(scope, properties)
        name = properties.value("Name")
        if name is not None and not isinstance(name, str):
            properties.problem("Name", UnresolvedError("must be text", "name the namespace"))
        code_file = self._code_file(api, name) if api is not None and isinstance(name, str) else None
        values = properties.all(*(("CodeHandlers", "CodeS3Location") if code_file else ()))
        if values is None:
            return
        try:
            if code_file is not None:
                values["CodeHandlers"] = read_code(code_file)
            elif "CodeS3Location" in values:
                code_file, values["CodeHandlers"] = handler_code(scope.stack, str(values.pop("CodeS3Location")))
        except UnresolvedError as error:
            properties.problem("CodeS3Location" if code_file is None else "CodeHandlers", error)
            return
        if code_file is not None:
            self._result.files.add(code_file)
        if api is None or not isinstance(name, str):
            return
        properties.unique(name, api.namespaces)
        api.namespaces[name] = Registration(origin, {"properties": values}, code_file)

    def _api_of(self, scope: Scope, properties: "_Properties") -> TemplateApi | None:
        """Return the API of a resource; `None` if it belongs to a GraphQL API, or if a problem has been recorded."""
        api_id = properties.value("ApiId")
        if not isinstance(api_id, str):
            if api_id is not None:
                properties.problem("ApiId", UnresolvedError("must be text", "give the API's id"))
            return None
        if api_id in self._apis:
            return self._apis[api_id]
        graphql = any(True for each in self._stacks.scopes for _ in each.resources("AWS::AppSync::GraphQLApi"))
        if not graphql and api_id not in self._unread:
            remedy = "give the template of this API as well; ApiId takes the id (Fn::GetAtt ApiId), not the ARN"
            properties.problem("ApiId", UnresolvedError(f"the templates have no Event API {api_id!r}", remedy))
        return None

    def _code_file(self, api: TemplateApi, namespace: str) -> Path | None:
        handlers = self._stacks.settings.handlers
        for name in (f"{api.name}/{namespace}", f"{api.id}/{namespace}", namespace):
            if name in handlers:
                self._used_handlers.add(name)
                return handlers[name]
        return None

    def _check_complete(self) -> None:
        if not self._apis and not self._result.problems:
            for scope in self._stacks.scopes:
                message = "has no Event API (AWS::AppSync::Api)"
                self._result.problems.append(
                    TemplateProblem(scope.stack.file, "", "", message, "give the template that has one")
                )
        for name in sorted(set(self._stacks.settings.handlers) - self._used_handlers):
            known = ", ".join(n for api in self._apis.values() for n in api.namespaces) or "none"
            self._result.problems.append(
                TemplateProblem(
                    self._stacks.settings.handlers[name],
                    "",
                    "",
                    f"--handler names namespace {name}, which does not exist",
                    f"use one of the namespaces: {known}",
                )
            )


class _Properties:
    """The resolved properties of one resource; problems are recorded with the path of the property."""

    def __init__(
        self, scope: Scope, origin: Origin, kind: str, values: Mapping[str, Any], problems: list[TemplateProblem]
    ) -> None:
        self._scope = scope
        self._origin = origin
        self._kind = kind
        self._values = values
        self._problems = problems

    def all(self, *left_out: str) -> dict[str, Any] | None:
        """Return every property that has an effect; `None` if one of them cannot be resolved."""
        before = len(self._problems)
        self._check_known("", self._values)
        resolved = {k: self._resolved(v, k) for k, v in self._values.items() if k not in left_out}
        if len(self._problems) > before:
            return None
        present = {key: value for key, value in resolved.items() if value is not NO_VALUE}
        for path, message, remedy in missing(self._kind, present):
            self.problem(path, UnresolvedError(message, remedy))
        return None if len(self._problems) > before else present

    def value(self, name: str) -> Any:
        """Return one property; `None` if it is missing or cannot be resolved, which is recorded as a problem."""
        if name not in self._values:
            self.problem(name, UnresolvedError("is missing", "set it"))
            return None
        return self._resolved(self._values[name], name)

    def problem(self, path: str, error: UnresolvedError) -> None:
        problem = TemplateProblem(self._origin.file, self._origin.logical_id, path, error.message, error.remedy)
        if problem not in self._problems:
            self._problems.append(problem)

    def unique(self, name: str, known: Mapping[str, Registration]) -> None:
        """Record a problem if the API already has this name; the second would replace the first."""
        if name in known:
            other = known[name].origin
            message = f"{name!r} is also the name of {other.logical_id} in {other.file}"
            self.problem("Name", UnresolvedError(message, "rename one of them"))

    def _resolved(self, node: Any, path: str) -> Any:
        if path in WITHOUT_EFFECT:
            with suppress(UnresolvedError):
                return self._scope.intrinsics.value(node)
            return NO_VALUE
        if isinstance(node, dict) and function_name(node) is None:
            self._check_known(path, node)
            inner = {key: self._resolved(value, f"{path}.{key}") for key, value in node.items()}
            return {key: value for key, value in inner.items() if value is not NO_VALUE}
        if isinstance(node, list):
            items = [self._resolved(value, f"{path}[{index}]") for index, value in enumerate(node)]
            return [value for value in items if value is not NO_VALUE]
        try:
            return self._scope.intrinsics.value(node)
        except UnresolvedError as error:
            self.problem(path, error)
            return None

    def _check_known(self, path: str, keys: Mapping[str, Any]) -> None:
        for key, remedy in unknown(self._kind, path, keys):
            at = f"{path}.{key}" if path else key
            self.problem(at, UnresolvedError(f"is not a property of {self._kind}", remedy))
