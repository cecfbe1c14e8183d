"""The text printed when the service is ready: the addresses, modes and keys of each API, and a client configuration."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from appsync_events_local.model.api import AuthMode, Behavior, HandlerModel
from appsync_events_local.publish.served_api import ServedApi, ServedNamespace

_AMPLIFY_MODES = {
    AuthMode.API_KEY: "apiKey",
    AuthMode.COGNITO: "userPool",
    AuthMode.OIDC: "oidc",
    AuthMode.IAM: "iam",
    AuthMode.LAMBDA: "lambda",
}


@dataclass(frozen=True)
class Address:
    """The address of the service: `localhost:PORT`, and whether it uses TLS."""

    authority: str
    tls: bool = False

    @property
    def http(self) -> str:
        return "https" if self.tls else "http"

    @property
    def socket(self) -> str:
        return "wss" if self.tls else "ws"


def announcement(apis: Iterable[ServedApi], address: Address, now: float) -> str:
    """Return the text for all APIs."""
    return "\n\n".join(_api(served, address, now) for served in apis)


def _api(served: ServedApi, address: Address, now: float) -> str:
    api = served.api
    base = f"{address.authority}/{api.id}/event"
    lines = [
        f"Event API {api.name}",
        f"  id          {api.id}",
        f"  HTTP        {address.http}://{base}",
        f"  realtime    {address.socket}://{base}/realtime",
        f"  or by host  {address.http}://{api.hosts.http}/event, {address.socket}://{api.hosts.realtime}/event/realtime",
        f"  connect     {_modes(api.connect_modes)}",
    ]
    label = "namespaces"
    for namespace in served.namespaces.values():
        lines.append(f"  {label:<11} {_namespace(served, namespace)}")
        label = ""
    label = "API keys"
    for key in served.keys.values():
        until = datetime.fromtimestamp(key.expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
        state = (
            f"until {until}" if key.expires > now else f"EXPIRED at {until}; set a later Expires, or synthesise again"
        )
        lines.append(f"  {label:<11} {key.key}  {state}")
        label = ""
    return "\n".join([*lines, "  Amplify", *_amplify(served, address, base)])


def _namespace(served: ServedApi, namespace: ServedNamespace) -> str:
    model = namespace.model
    publish = _modes(model.publish_modes or served.api.publish_modes)
    subscribe = _modes(model.subscribe_modes or served.api.subscribe_modes)
    return (
        f"{model.name}: publish {publish}, {_handler(namespace, 'onPublish', model.on_publish)}; "
        f"subscribe {subscribe}, {_handler(namespace, 'onSubscribe', model.on_subscribe)}"
    )


def _handler(namespace: ServedNamespace, name: str, handler: HandlerModel) -> str:
    if not namespace.runs(name):
        return f"no {name}"
    how = "direct" if handler.behavior is Behavior.DIRECT else "code"
    return f"{name} {how}" + (f" with {handler.data_source}" if handler.data_source else "")


def _modes(modes: Iterable[AuthMode]) -> str:
    return " ".join(sorted(modes))


def _amplify(served: ServedApi, address: Address, base: str) -> list[str]:
    key = next(iter(served.keys), None)
    usable = sorted(served.api.connect_modes - (frozenset() if key else {AuthMode.API_KEY})) or [AuthMode.API_KEY]
    mode = AuthMode.API_KEY if AuthMode.API_KEY in usable else usable[0]
    scheme, note = (
        ("https", "") if address.tls else ("HTTP", "  // in capitals, because Amplify replaces http:// by wss://")
    )
    own = f", apiKey: '{key}'" if mode is AuthMode.API_KEY else ""
    return [
        "    Amplify.configure({ API: { Events: {",
        f"      endpoint: '{scheme}://{base}',{note}",
        f"      region: '{served.api.region}',",
        f"      defaultAuthMode: '{_AMPLIFY_MODES[mode]}'{own},",
        "    } } });",
    ]
