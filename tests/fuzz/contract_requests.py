"""Generates requests from the published OpenAPI document, valid and invalid, and says which of the two each one is."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from jsonschema import Draft202012Validator

Schema = dict[str, Any]
_CANONICAL: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_CHARACTERS: Final = ("a", "Z", "7", "_", "-", "ж", "🦊", "e\u0301", " ", "\n", "/", "#", "\u00a0", "\x00", '"', "\\")
_STRANGE: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 1.5, 2.0, 1e300, 5e-324, 2**53, 10**30, "", "null", "true", "1", "a", "-0", [], {},
    ["a"], {"a": 1},
)  # fmt: skip
_QUERY_TEXTS: Final = ("null", "true", "1", "0", "-1", "01", "+1", "1.0", "1e1", " 1", "1 ", "", "ACTIVE", "٣", "1_0")


@dataclass
class Generated:
    """One generated request.

    Attributes:
        operation: the route's `operationId`.
        body: the JSON text; None for none.
        path, query: the parameters as text.
        is_valid: whether the document allows the request.
        reason: what it violates, for the report.
    """

    operation: str
    method: str
    route: str
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    is_valid: bool = True
    reason: str = ""


class ContractRequests:
    """Endless requests of one document.

    Args:
        document: the OpenAPI document.
        random: the source of chance.
    """

    def __init__(self, document: Schema, random: Random) -> None:
        self._document = document
        self._random = random
        self.operations = [
            (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        self._validators: dict[str, Draft202012Validator] = {}

    def __iter__(self) -> Iterator[Generated]:
        """Yield requests, the operations in turn."""
        while True:
            for method, path, operation in self.operations:
                yield self._request(method, path, operation)

    def is_valid_response(self, operation: str, status: int, body: Any) -> bool:
        """Return whether the document allows a response."""
        responses = next(one["responses"] for _, _, one in self.operations if one["operationId"] == operation)
        if str(status) not in responses:
            return False
        return self._is_valid(responses[str(status)]["content"]["application/json"]["schema"], body)

    def _request(self, method: str, path: str, operation: Schema) -> Generated:
        made = Generated(operation["operationId"], method, path)
        problems = []
        for parameter in operation.get("parameters", []):
            problem = self._parameter(made, parameter)
            problems += [problem] if problem else []
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            if self._random.random() < 0.03:
                problems.append("the body is missing")
            else:
                value = self._value(schema, 0.15)
                made.body = json.dumps(value, ensure_ascii=self._random.random() < 0.5)
                if not self._is_valid(schema, value):
                    problems.append("body")
        elif method == "GET" and self._random.random() < 0.02:
            made.query["unknown"] = "1"
            problems.append("unknown parameter")
        made.is_valid, made.reason = not problems, ", ".join(problems)
        return made

    def _parameter(self, made: Generated, parameter: Schema) -> str | None:
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            text = self._text(schema, 0.1)
            made.path[name] = text
            return None if self._is_valid(schema, text) else f"path {name}"
        if not parameter["required"] and self._random.random() < 0.5:
            return None
        if parameter["required"] and self._random.random() < 0.03:
            return f"{name} is missing"
        if self._random.random() < 0.3:
            text = self._random.choice(_QUERY_TEXTS)
        else:
            value = self._value(schema, 0.1)
            text = value if isinstance(value, str) else json.dumps(value)
        made.query[name] = text
        return None if self._is_valid(schema, _as_parameter(schema, text)) else f"query {name}={text!r}"

    # Values

    def _value(self, schema: Schema, wrong: float) -> Any:
        """Return a value, which violates the schema somewhere with about the given probability."""
        schema = self._resolved(schema)
        if self._random.random() < wrong / 3:
            return self._random.choice(_STRANGE)
        if "anyOf" in schema:
            return self._value(self._random.choice(schema["anyOf"]), wrong)
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        makers: dict[str, Callable[[Schema, float], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._text,
            "integer": self._number,
            "number": self._number,
            "boolean": lambda schema, wrong: self._random.random() < 0.5,
            "null": lambda schema, wrong: None,
        }
        return makers[schema["type"]](schema, wrong)

    def _object(self, schema: Schema, wrong: float) -> Any:
        required = set(schema.get("required", []))
        made = {
            name: self._value(field, wrong / 3)
            for name, field in schema.get("properties", {}).items()
            if (name in required and self._random.random() > wrong / 10) or self._random.random() < 0.3
        }
        if self._random.random() < wrong / 5:
            made["unknown"] = self._random.choice(_STRANGE)
        return made

    def _array(self, schema: Schema, wrong: float) -> Any:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 5)
        lengths = [least, most, min(most, least + 1)] + (
            [max(0, least - 1), most + 1] * (self._random.random() < wrong)
        )
        item = self._value(schema["items"], 0)
        items = [item] * self._random.choice(lengths)
        if items and self._random.random() < wrong:
            items[self._random.randrange(len(items))] = self._value(schema["items"], 1)
        return items

    def _number(self, schema: Schema, wrong: float) -> Any:
        least, most = schema.get("minimum", -5), schema.get("maximum", 10**6)
        choices = [least, most, self._random.choice([least, min(most, least + 1)])]
        if self._random.random() < wrong:
            choices = [least - 1, most + 1, least - 0.5, float(least), str(least), True]
        return self._random.choice(choices)

    def _text(self, schema: Schema, wrong: float) -> str:
        least, most = schema.get("minLength", 0), schema.get("maxLength", 30)
        pattern = schema.get("pattern", "")
        prefix = "https://" if pattern.startswith("^https") else ""
        is_id = bool(pattern) and not prefix
        alphabet = string.ascii_letters + string.digits + "_-" if is_id else _CHARACTERS[:4] if prefix else _CHARACTERS
        length = self._random.choice([least, most, self._random.randint(least, min(most, 40))])
        if self._random.random() < wrong:
            length = self._random.choice([max(0, least - 1), most + 1, most + 1])
            if self._random.random() < 0.5:
                prefix, alphabet = self._random.choice(["", prefix, "http://"]), _CHARACTERS
        pieces = [self._random.choice(alphabet)] if self._random.random() < 0.3 else list(alphabet)
        body = "".join(self._random.choice(pieces) for _ in range(max(0, length - len(prefix))))
        return (prefix + body)[:length] if length > len(prefix) else prefix + body

    # The oracle

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        return dict(self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])

    def _is_valid(self, schema: Schema, value: Any) -> bool:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            parts = {"components": self._document["components"]}
            self._validators[key] = Draft202012Validator(schema | parts)
        return self._validators[key].is_valid(value)


def _as_parameter(schema: Schema, text: str) -> Any:
    """Return a query parameter as the document types it (style `form`); text that is no such value stays text."""
    if schema.get("type") == "integer" and _CANONICAL.fullmatch(text) and text != "-0":
        return int(text)
    return text
