"""The pages of `docs/` that tables, routes and events write themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from contract import channels, events, items, requests, responses
from contract.route import Route
from contract.routes import ROUTES
from contract.statuses import COMMON, STATUSES
from contract.tables import TABLES, Index, Key, Table
from tools.generate import openapi, schemas

NOTICE: Final = "<!-- Written by `python -m tools.generate`; change contract, not this page. -->"
_PREFIX: Final = "#"


def routes_page() -> str:
    """Return `docs/routes.md`: every route with what it takes, answers and refuses."""
    parts = [
        NOTICE,
        "# Routes",
        "Every route takes `Authorization: Bearer {access token}`; the caller is the token's `sub`. Bodies and "
        "answers are JSON; an unknown field is refused. `contract/generated/openapi.json` says the same to programs.",
        "An answer has `success: true` and the fields below. A refusal is "
        "`{success: false, error: {code, message, field}}`, `field` being null where no single field is at fault. What "
        "the HTTP API itself refuses (no valid token, its own throttle, an unknown path) has only `{message}`.",
        "## Statuses of refusals",
        markdown_table(
            ("status", "code", "meaning"), [(str(s), f"`{code}`", text) for s, (code, text) in STATUSES.items()]
        ),
        f"Any route may answer {', '.join(map(str, COMMON))}; a route's own list has the rest.",
    ]
    for domain in dict.fromkeys(route.domain for route in ROUTES):
        parts.append(f"## {domain.capitalize()}")
        parts += [_route(route) for route in ROUTES if route.domain == domain]
    found = schemas.components(schemas.response_models(), _PREFIX)
    shapes = {name: schema for name, schema in found.items() if not _is_top(name)}
    parts.append("## Shapes")
    parts += [_shape(name, schema) for name, schema in shapes.items()]
    return page(parts)


def _is_top(name: str) -> bool:
    tops = (*schemas.request_models(), *schemas.response_models())
    return name in {model.__name__ for model in tops}


def _route(route: Route) -> str:
    parts = [f"### `{route.key}`", f"`{route.operation}`: {route.summary}"]
    if route.guide:
        parts.append(f"In the migration guide at {route.guide}.")
    if route.request is not requests.Nothing:
        where = "Query string" if route.query else "Body"
        parts.append(f"{where}: {_text(route.request)}")
        parts.append(_fields(schemas.components([route.request], _PREFIX)[route.request.__name__]))
    status = " or ".join(str(status) for status in route.status)
    parts.append(f"Answer ({status}): {_text(route.response)}")
    if route.response is not responses.Done:
        parts.append(_fields(schemas.components([route.response], _PREFIX)[route.response.__name__]))
    own = {status: text for status, text in openapi.refusals(route).items() if text != STATUSES[status][1]}
    if own:
        parts.append("Refusals: " + " · ".join(f"{status} {text}" for status, text in sorted(own.items())))
    if route.rate:
        parts.append(f"Limit: {route.rate.count} in {route.rate.seconds} seconds for one user.")
    return "\n\n".join(parts)


def events_page() -> str:
    """Return `docs/events.md`: every channel namespace and every event it carries."""
    access = [
        (
            f"`/{space.name}/{{{space.segment}}}`" + (" (optional)" if space.optional else ""),
            space.subscribe,
            space.publish,
            space.carries,
        )
        for space in channels.NAMESPACES
    ]
    found = schemas.components(schemas.event_models(), _PREFIX)
    own = {model.__name__ for model in schemas.event_models()}
    parts = [
        NOTICE,
        "# Channels and events",
        "`contract/generated/asyncapi.json` and `contract/generated/events.schema.json` say the same to programs.",
        "## Who may do what",
        markdown_table(("channel", "subscribe", "publish", "carries"), access),
        "Subscribing takes exactly this path: no wildcard, no deeper path, no other case.",
        "## The envelope",
        " ".join((events.__doc__ or "").split("\n\n", 1)[1].split()),
    ]
    for name, models in events.EVENTS.items():
        parts.append(f"## On `/{name}`")
        parts += [_event(model, found) for model in models] or ["Nothing yet."]
    parts.append("## Shapes")
    parts += [_shape(name, schema) for name, schema in found.items() if name not in own and not name.endswith("Data")]
    return page(parts)


def _event(model: type[Any], found: dict[str, schemas.Schema]) -> str:
    data = found[model.__name__]["properties"]["data"]["$ref"].removeprefix(_PREFIX)
    return "\n\n".join(
        [
            f"### `{model.__struct_config__.tag}`",
            _text(model),
            f"`data`: {' '.join(found[data]['description'].split())}",
            _fields(found[data]),
        ]
    )


def data_model_page() -> str:
    """Return `docs/data-model.md`: every table with its keys, indexes and attributes."""
    parts = [
        NOTICE,
        "# Data model",
        " ".join((items.__doc__ or "").split()),
        "Tables are named `PantherKolab-{table}-{environment}`.",
        markdown_table(
            ("table", "one item is"),
            [(f"[{table.entity}](#{table.entity.lower()})", table.purpose) for table in TABLES],
        ),
        *(_data_table(table) for table in TABLES),
    ]
    return page(parts)


def _data_table(table: Table) -> str:
    traits = [
        f"Key: {_keys(table.partition, table.sort)}",
        *(_index(index) for index in table.indexes),
        *([f"Time to live: `{table.ttl}`"] if table.ttl else []),
        *([f"Stream: {table.stream}"] if table.stream else []),
        "Kept: users would miss it" if table.stateful else "Can be lost without losing data",
    ]
    keys = [(f"`{key.name}`", str(key.type), "key") for key in (table.partition, table.sort) if key]
    rows = [(f"`{name}`", kind, text) for name, kind, text in items.ITEMS[table.entity]]
    return "\n\n".join(
        [
            f"## {table.entity}",
            f"{table.purpose[0].upper()}{table.purpose[1:]}.",
            "\n".join(f"- {trait}" for trait in traits),
            markdown_table(("attribute", "type", "meaning"), keys + rows),
        ]
    )


def _keys(partition: Key, sort: Key | None) -> str:
    return f"`{partition.name}`" + (f", `{sort.name}`" if sort else "")


def _index(index: Index) -> str:
    return f"Index {index.name}: {_keys(index.partition, index.sort)} ({index.projection})"


def _shape(name: str, schema: schemas.Schema) -> str:
    return "\n\n".join([f"### {name}", " ".join(schema.get("description", "").split()), _fields(schema)])


def _fields(schema: schemas.Schema) -> str:
    required = set(schema["required"])
    incoming = schema.get("additionalProperties") is False
    rows: list[tuple[str, ...]] = []
    for name, field in schema["properties"].items():
        note = _limits(field)
        if incoming:
            note = "; ".join(part for part in ("required" if name in required else _default(field), note) if part)
        rows.append((f"`{name}`", _kind(field), note) if incoming else (f"`{name}`", _kind(field)))
    return markdown_table(("field", "type", "required, limits") if incoming else ("field", "type"), rows)


def _default(field: schemas.Schema) -> str:
    default = field.get("default")
    return "optional" if default is None else f"default `{default}`"


def _kind(field: schemas.Schema) -> str:
    if "$ref" in field:
        name = field["$ref"].removeprefix(_PREFIX)
        return f"[{name}](#{name.lower()})"
    if "const" in field:
        return f"`{field['const']}`".lower() if isinstance(field["const"], bool) else f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(choice) for choice in field["anyOf"])
    if field["type"] == "array":
        return f"list of {_kind(field['items'])}"
    if field["type"] == "object" and not field.get("additionalProperties"):
        return "object"
    if field["type"] == "object":
        return f"map of {_kind(field['additionalProperties'])}"
    return str(field["type"])


_BOUNDS: Final = (
    ("minLength", "from {} characters"),
    ("maxLength", "up to {} characters"),
    ("minimum", "from {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "up to {}"),
    ("minItems", "from {} items"),
    ("maxItems", "up to {} items"),
    ("pattern", "`{}`"),
)


def _limits(field: schemas.Schema) -> str:
    found = [text.format(field[bound]) for bound, text in _BOUNDS if bound in field]
    nested = [*field.get("anyOf", ()), *([field["items"]] if "items" in field else [])]
    found += [text for text in (_limits(inner) for inner in nested) if text]
    return ", ".join(found)


def _text(model: type[Any]) -> str:
    return " ".join((model.__doc__ or "").split())


def markdown_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def page(parts: list[str]) -> str:
    """Return a page of paragraphs."""
    return "\n\n".join(parts) + "\n"
