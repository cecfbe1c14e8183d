"""Compares two JSON Schemas: is a request stricter than before, does a response promise less than before?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Document = Mapping[str, Any]

_UPPER: Final = ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties")
_LOWER: Final = ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties")
_DEPTH: Final = 12


def _resolved(schema: Any, document: Document) -> dict[str, Any]:
    for _ in range(_DEPTH):
        if not isinstance(schema, Mapping) or "$ref" not in schema:
            break
        target: Any = document
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return dict(schema) if isinstance(schema, Mapping) else {}


def _types(schema: Mapping[str, Any]) -> set[str]:
    if "const" in schema:
        return {f"const {schema['const']!r}"}
    if "enum" in schema:
        return {f"value {value!r}" for value in schema["enum"]}
    kinds = schema.get("type", [])
    return set(kinds) if isinstance(kinds, list) else {str(kinds)}


def _branches(schema: Mapping[str, Any], document: Document) -> list[dict[str, Any]]:
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return [_resolved(each, document) for each in schema[key]]
    return [dict(schema)]


def _structure(schema: dict[str, Any], document: Document) -> dict[str, Any]:
    """Return the one branch with fields or items, of a schema that may also be null; else the schema."""
    structured = [each for each in _branches(schema, document) if "properties" in each or "items" in each]
    return structured[0] if len(structured) == 1 else schema


def _accepted(schema: dict[str, Any], document: Document) -> set[str]:
    return {kind for branch in _branches(schema, document) for kind in _types(branch)}


def stricter_request(
    old: Any, new: Any, old_document: Document, new_document: Document, place: str, depth: int = 0
) -> Iterator[str]:
    """Return why values that the old schema accepts may be refused by the new one.

    Args:
        old, new: the schemas; None where there is none.
        old_document, new_document: the documents that their references point into.
        place: name of the value, for the text.
        depth: how deep the value is; deeper than twelve levels is not compared.
    """
    if depth > _DEPTH:
        return
    if old is None:
        if new is not None:
            yield f"{place} is new"
        return
    before, after = _resolved(old, old_document), _resolved(new, new_document)
    if gone := _accepted(before, old_document) - _accepted(after, new_document):
        yield f"{place} no longer accepts {', '.join(sorted(gone))}"
    before, after = _structure(before, old_document), _structure(after, new_document)
    yield from _bounds(before, after, place)
    required = set(after.get("required", [])) - set(before.get("required", []))
    for name in sorted(required):
        yield f"{place}.{name} is required"
    properties, later = before.get("properties", {}), after.get("properties", {})
    for name in properties:
        if name in later:
            yield from stricter_request(
                properties[name], later[name], old_document, new_document, f"{place}.{name}", depth + 1
            )
        elif after.get("additionalProperties") is False or properties:
            yield f"{place}.{name} is gone"
    if "items" in before and "items" in after:
        yield from stricter_request(
            before["items"], after["items"], old_document, new_document, f"{place}[]", depth + 1
        )


def _bounds(before: Mapping[str, Any], after: Mapping[str, Any], place: str) -> Iterator[str]:
    for key in _UPPER:
        if key in after and (key not in before or after[key] < before[key]):
            yield f"{place}: {key} {after[key]}, before {before.get(key, 'unlimited')}"
    for key in _LOWER:
        if key in after and after[key] > before.get(key, 0):
            yield f"{place}: {key} {after[key]}, before {before.get(key, 0)}"
    if after.get("pattern") and after.get("pattern") != before.get("pattern"):
        yield f"{place}: pattern {after['pattern']}, before {before.get('pattern', 'any')}"


def weaker_response(
    old: Any, new: Any, old_document: Document, new_document: Document, place: str, depth: int = 0
) -> Iterator[str]:
    """Return what the old schema promises and the new one does not; arguments as for :func:`stricter_request`."""
    if depth > _DEPTH or old is None:
        return
    before, after = _resolved(old, old_document), _resolved(new, new_document)
    if more := _accepted(after, new_document) - _accepted(before, old_document):
        yield f"{place} may also be {', '.join(sorted(more))}"
    before, after = _structure(before, old_document), _structure(after, new_document)
    properties, later = before.get("properties", {}), after.get("properties", {})
    for name in properties:
        if name not in later:
            yield f"{place}.{name} is gone"
            continue
        if name in before.get("required", []) and name not in after.get("required", []):
            yield f"{place}.{name} may be absent"
        yield from weaker_response(
            properties[name], later[name], old_document, new_document, f"{place}.{name}", depth + 1
        )
    if "items" in before and "items" in after:
        yield from weaker_response(before["items"], after["items"], old_document, new_document, f"{place}[]", depth + 1)
