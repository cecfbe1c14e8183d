"""Renders the status page. It shows names and sizes, but no keys, tokens or claims."""

import time
from collections.abc import Iterable
from typing import Final

from appsync_events_local.http.status.html import Html, element, html, joined, table
from appsync_events_local.model.api import Behavior, HandlerModel
from appsync_events_local.model.auth_providers import AuthMode
from appsync_events_local.observability.activity import Recent
from appsync_events_local.observability.caller_names import caller_name
from appsync_events_local.observability.metrics import UNITS, Metric
from appsync_events_local.publish.faults import FaultRules
from appsync_events_local.publish.served_api import ServedApi, ServedConnection, ServedNamespace

SHOWN_CONNECTIONS: Final = 100
NOTHING: Final = "-"
_SHORT_MODES: Final = {
    AuthMode.API_KEY: "API key",
    AuthMode.COGNITO: "Cognito",
    AuthMode.IAM: "IAM",
    AuthMode.LAMBDA: "Lambda",
    AuthMode.OIDC: "OIDC",
}


def page(apis: Iterable[ServedApi], faults: FaultRules, authority: str, started_at: float, now: float) -> str:
    """Return the page.

    Args:
        apis: the served APIs.
        faults: the fault rules.
        authority: host and port of the request.
        started_at: start of the service, seconds since the epoch.
        now: current time, seconds since the epoch.
    """
    served = list(apis)
    head = element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", f"Event APIs on {authority}"),
        Html('<link rel="icon" href="data:,"><link rel="stylesheet" href="/_status/page.css">'),
        element("script", src="/_status/page.js", defer=""),
    )
    sections = [_faults(faults), *(_api(served, authority, now) for served in served)]
    if not served:
        sections.append(element("p", "No Event API is registered yet.", class_="empty"))
    main = element("main", _summary(served, authority, started_at, now), *sections)
    return f"<!doctype html>{element('html', head, element('body', main), lang='en')}"


def _summary(apis: list[ServedApi], authority: str, started_at: float, now: float) -> Html:
    connections = sum(len(served.connections) for served in apis)
    subscriptions = sum(len(served.broker) for served in apis)
    counts = f"{len(apis)} API(s), {connections} connection(s), {subscriptions} subscription(s)"
    state = element("span", "live", id="state", title="whether this page is updated")
    facts = f"{counts} · up {_duration(now - started_at)} · as of {_clock(now)} "
    return element("header", element("h1", f"Event APIs on {authority}"), element("p", facts, state))


def _faults(faults: FaultRules) -> Html:
    active = [rule for rule in faults.rules if rule.times != 0]
    if not active:
        return Html("")
    rows = []
    for rule in active:
        matched = (rule.operation, rule.api, rule.channel, rule.transport)
        target = " ".join(str(part) for part in matched if part is not None) or "everything"
        left = "unlimited" if rule.times is None else str(rule.times)
        rows.append((target, f"{rule.effect} {rule.when}", left, rule.hits))
    content = table(("matches", "effect", "uses left", "uses"), rows, "")
    return element("section", element("h2", "Active fault rules"), content, class_="faults")


def _api(served: ServedApi, authority: str, now: float) -> Html:
    api = served.api
    where = element("code", f"{authority}/{api.id}/event")
    keys = f"{len(served.keys)} API key(s)" if AuthMode.API_KEY in api.providers.modes else "no API keys"
    facts = joined(
        ("id ", element("code", api.id), " · ", where, " · ", f"connect: {_modes(api.connect_modes)} · {keys}")
    )
    return element(
        "section",
        element("h2", api.name),
        element("p", facts),
        element("h3", "Namespaces"),
        _namespaces(served),
        element("h3", f"Connections ({len(served.connections)})"),
        _connections(served, now),
        element("h3", "Latest publishes"),
        _recent(served.activity.publishes, "No publishes yet."),
        element("h3", "Latest refusals"),
        _refusals(served.activity.refusals),
        element("details", element("summary", "Metrics"), _metrics(served), id=f"metrics-{api.id}"),
    )


def _namespaces(served: ServedApi) -> Html:
    rows = []
    for name, namespace in sorted(served.namespaces.items()):
        model = namespace.model
        publish, subscribe = model.publish_modes or served.api.publish_modes, model.subscribe_modes
        counted = [
            f"{served.activity.metrics.total(metric, name):.0f}"
            for metric in (Metric.SUCCESSFUL_EVENTS, Metric.DROPPED_EVENTS, Metric.FAILED_EVENTS)
        ]
        rows.append(
            (
                element("code", name),
                _modes(publish),
                _handler(namespace, "onPublish", model.on_publish),
                _modes(subscribe or served.api.subscribe_modes),
                _handler(namespace, "onSubscribe", model.on_subscribe),
                " / ".join(counted),
            )
        )
    heads = ("namespace", "publish by", "onPublish", "subscribe by", "onSubscribe", "events sent / dropped / failed")
    return table(heads, rows, "No namespaces: clients can neither publish nor subscribe.")


def _handler(namespace: ServedNamespace, name: str, model: HandlerModel) -> str:
    if model.data_source is not None:
        return f"{'direct' if model.behavior is Behavior.DIRECT else 'code'} with {model.data_source}"
    return "code" if namespace.runs(name) else NOTHING


def _connections(served: ServedApi, now: float) -> Html:
    oldest = sorted(served.connections, key=lambda connection: connection.opened_at)
    rows = [_connection(connection, now) for connection in oldest[:SHOWN_CONNECTIONS]]
    shown = table(("connection", "caller", "open for", "subscriptions"), rows, "No connections.")
    more = len(oldest) - len(rows)
    return joined((shown, element("p", f"and {more} more", class_="empty") if more else ""))


def _connection(connection: ServedConnection, now: float) -> tuple[object, ...]:
    channels = element("div", *(element("code", path) for path in sorted(connection.channels)), class_="channels")
    caller = caller_name(connection.identity) if connection.accepted else "not accepted yet"
    return (connection.name, caller, _duration(now - connection.opened_at), channels)


def _recent(publishes: Iterable[Recent], empty: str) -> Html:
    rows = [
        (_clock(each.at), element("code", each.channel), each.source, f"{each.size:,} B", _outcome(each))
        for each in reversed(list(publishes))
    ]
    return table(("time", "channel", "source", "size", "outcome"), rows, empty)


def _outcome(publish: Recent) -> Html:
    payloads = joined(element("pre", text) for text in publish.payloads)
    return joined((publish.outcome, payloads))


def _refusals(refusals: Iterable[Recent]) -> Html:
    rows = [
        (
            _clock(each.at),
            each.kind,
            element("code", each.channel) if each.channel else NOTHING,
            each.source,
            each.outcome,
        )
        for each in reversed(list(refusals))
    ]
    return table(("time", "operation", "channel", "source", "reason"), rows, "No refusals yet.")


def _metrics(served: ServedApi) -> Html:
    rows = [
        (metric, html(namespace or "(API)"), f"{statistic.total:,.10g}", statistic.samples, UNITS.get(metric, "Count"))
        for namespace, metric, statistic in served.activity.metrics.items()
    ]
    return table(("metric", "namespace", "sum", "samples", "unit"), rows, "No metrics yet.")


def _modes(modes: Iterable[AuthMode]) -> str:
    return ", ".join(sorted(_SHORT_MODES[mode] for mode in modes))


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
