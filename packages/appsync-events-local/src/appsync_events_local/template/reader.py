"""From templates to what the service registers: Event APIs with their data sources, namespaces and keys."""

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
"""Properties that change nothing of what clients see; they are left out if they cannot be worked out."""


@dataclass(frozen=True)
class Registration:
    """What the service's control API would be given for one resource, and where it comes from.

    Attributes:
        origin: the resource.
        body: `{"properties": ...}`.
        code_file: where a namespace's code was read from, if not from the template itself.
    """

    origin: Origin
    body: dict[str, Any]
    code_file: Path | None = None


@dataclass
class TemplateApi:
    """An Event API with all that belongs to it, each by the name under which it is registered."""

    id: str
    name: str
    registration: Registration
    data_sources: dict[str, Registration] = field(default_factory=dict)
    namespaces: dict[str, Registration] = field(default_factory=dict)
    keys: dict[str, Registration] = field(default_factory=dict)


@dataclass
class Templates:
    """All that was read.

    Attributes:
        apis: in the order of the templates.
        functions: by ARN.
        tables: whose keys are known.
        problems: why something was left out.
        remarks: what may be missing, and cannot be known from here.
        files: every file that was read, so that somebody can watch them.
    """

    apis: list[TemplateApi] = field(default_factory=list)
    functions: dict[str, TemplateFunction] = field(default_factory=dict)
    tables: list[TableTemplate] = field(default_factory=list)
    problems: list[TemplateProblem] = field(default_factory=list)
    remarks: list[TemplateProblem] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)


def read_apis(stacks: Iterable[Stack], settings: TemplateSettings) -> Templates:
    """Work out every Event API of the stacks. Problems are collected, not raised: the caller decides what they mean."""
    return _Reader(Stacks(stacks, settings)).read()


class _Reader:
    def __init__(self, world: Stacks) -> None:
        self._world = world
        self._result = Templates()
        self._apis: dict[str, TemplateApi] = {}
        self._unread: set[str] = set()
        self._used_handlers: set[str] = set()

    def read(self) -> Templates:
        result = self._result
        result.problems += self._world.problems
        result.remarks += self._world.remarks
        if self._world.scopes:
            result.problems += check(self._world)
        for scope in self._world.scopes:
            result.files.add(scope.stack.file)
            self._each(scope, API, self._api)
        for scope in self._world.scopes:
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
        body = {"name": name, "properties": values, "hosts": hosts, "region": scope.place.region,
                "accountId": scope.place.account}  # fmt: skip
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
        """The API that a resource belongs to; `None` if that is a GraphQL API, or cannot be told (then it is noted)."""
        api_id = properties.value("ApiId")
        if not isinstance(api_id, str):
            if api_id is not None:
                properties.problem("ApiId", UnresolvedError("must be text", "give the API's id"))
            return None
        if api_id in self._apis:
            return self._apis[api_id]
        graphql = any(True for each in self._world.scopes for _ in each.resources("AWS::AppSync::GraphQLApi"))
        if not graphql and api_id not in self._unread:
            remedy = "give the template that has this API as well; ApiId takes the id (Fn::GetAtt ApiId), not the ARN"
            properties.problem("ApiId", UnresolvedError(f"no Event API {api_id!r} is in the templates", remedy))
        return None

    def _code_file(self, api: TemplateApi, namespace: str) -> Path | None:
        handlers = self._world.settings.handlers
        for name in (f"{api.name}/{namespace}", f"{api.id}/{namespace}", namespace):
            if name in handlers:
                self._used_handlers.add(name)
                return handlers[name]
        return None

    def _check_complete(self) -> None:
        if not self._apis and not self._result.problems:
            for scope in self._world.scopes:
                message = "holds no Event API (AWS::AppSync::Api)"
                self._result.problems.append(
                    TemplateProblem(scope.stack.file, "", "", message, "give the template that has one")
                )
        for name in sorted(set(self._world.settings.handlers) - self._used_handlers):
            known = ", ".join(n for api in self._apis.values() for n in api.namespaces) or "none"
            self._result.problems.append(
                TemplateProblem(
                    self._world.settings.handlers[name],
                    "",
                    "",
                    f"--handler names a namespace {name}, which no API has",
                    f"name one of the namespaces: {known}",
                )
            )


class _Properties:
    """The properties of one resource, worked out with the path of each problem."""

    def __init__(
        self, scope: Scope, origin: Origin, kind: str, values: Mapping[str, Any], problems: list[TemplateProblem]
    ) -> None:
        self._scope = scope
        self._origin = origin
        self._kind = kind
        self._values = values
        self._problems = problems

    def all(self, *left_out: str) -> dict[str, Any] | None:
        """Every property that has an effect; `None` if one of them cannot be worked out."""
        before = len(self._problems)
        self._check_known("", self._values)
        worked_out = {k: self._worked_out(v, k) for k, v in self._values.items() if k not in left_out}
        if len(self._problems) > before:
            return None
        return {key: value for key, value in worked_out.items() if value is not NO_VALUE}

    def value(self, name: str) -> Any:
        """One property; `None` if it is missing or cannot be worked out, which is noted."""
        if name not in self._values:
            self.problem(name, UnresolvedError("is missing", "set it"))
            return None
        return self._worked_out(self._values[name], name)

    def problem(self, path: str, error: UnresolvedError) -> None:
        problem = TemplateProblem(self._origin.file, self._origin.logical_id, path, error.message, error.remedy)
        if problem not in self._problems:
            self._problems.append(problem)

    def unique(self, name: str, known: Mapping[str, Registration]) -> None:
        """Note it if the API has another one of this name, as two would be one here."""
        if name in known:
            other = known[name].origin
            message = f"{name!r} is the name of {other.logical_id} in {other.file} too"
            self.problem("Name", UnresolvedError(message, "name one of them otherwise"))

    def _worked_out(self, node: Any, path: str) -> Any:
        if path in WITHOUT_EFFECT:
            with suppress(UnresolvedError):
                return self._scope.intrinsics.value(node)
            return NO_VALUE
        if isinstance(node, dict) and function_name(node) is None:
            self._check_known(path, node)
            inner = {key: self._worked_out(value, f"{path}.{key}") for key, value in node.items()}
            return {key: value for key, value in inner.items() if value is not NO_VALUE}
        if isinstance(node, list):
            items = [self._worked_out(value, f"{path}[{index}]") for index, value in enumerate(node)]
            return [value for value in items if value is not NO_VALUE]
        try:
            return self._scope.intrinsics.value(node)
        except UnresolvedError as error:
            self.problem(path, error)
            return None

    def _check_known(self, path: str, keys: Mapping[str, Any]) -> None:
        for key, remedy in unknown(self._kind, path, keys):
            at = f"{path}.{key}" if path else key
            self.problem(at, UnresolvedError(f"is no property of {self._kind}", remedy))
