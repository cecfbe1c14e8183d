"""What ministack accepts in expressions and DynamoDB does not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

from ministack.services import dynamodb

IN_OPERANDS: Final = 100
_SECTIONS: Final = ("SET", "REMOVE", "ADD", "DELETE")
_EXPRESSIONS: Final = ("UpdateExpression", "ConditionExpression", "FilterExpression", "KeyConditionExpression")
_NAMES: Final = ("IDENT", "NAME_REF")

Token = tuple[str, str]


def expression_problems(operation: str, part: dict[str, Any]) -> Iterator[str]:
    """Yield AWS's messages on the expressions of a request, or of one action of a transaction."""
    names = part.get("ExpressionAttributeNames") or {}
    if any(name == "" for name in names.values()):
        yield "ExpressionAttributeNames contains invalid value: an attribute name must have at least one character"
    for kind in _EXPRESSIONS:
        tokens: list[Token] = dynamodb._tokenize(part[kind]) if isinstance(part.get(kind), str) else []
        words = [text.upper() if type_ == "IDENT" else type_ for type_, text in tokens]
        for place, word in enumerate(words):
            if word == "IN" and _operands(words[place + 1 :]) > IN_OPERANDS:
                yield f"Invalid {kind}: The IN operator is provided with too many operands; maximum {IN_OPERANDS}"
        if kind == "UpdateExpression":
            yield from _update_problems(tokens, names)
        elif kind == "FilterExpression" and operation == "Query":
            named = {names.get(text, text) for type_, text in tokens if type_ in _NAMES}
            for key in _key_names(part):
                if key in named:
                    yield f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {key}"


def _update_problems(tokens: list[Token], names: dict[str, str]) -> Iterator[str]:
    begun: list[str] = []
    clauses: list[list[Token]] = []
    depth = 0
    for token in tokens:
        depth += {"LPAREN": 1, "RPAREN": -1}.get(token[0], 0)
        if token[0] == "IDENT" and token[1].upper() in _SECTIONS:
            begun.append(token[1].upper())
            clauses.append([])
        elif token[0] == "COMMA" and depth == 0:
            clauses.append([])
        elif clauses and token[0] != "EOF":
            clauses[-1].append(token)
    for section in _SECTIONS:
        if begun.count(section) > 1:
            yield f'Invalid UpdateExpression: The "{section}" section can only be used once in an update expression;'
    for one, other in itertools.combinations([_path(clause, names) for clause in clauses], 2):
        if one and other and one[: len(other)] == other[: len(one)]:
            yield (
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
                f"these paths; path one: [{', '.join(one)}], path two: [{', '.join(other)}]"
            )


def _path(clause: list[Token], names: dict[str, str]) -> tuple[str, ...]:
    """Return the attributes and positions of the path that a clause begins with."""
    path = itertools.takewhile(lambda token: token[0] not in ("EQ", "VALUE_REF"), clause)
    kept = (token for token in path if token[0] in (*_NAMES, "NUMBER"))
    return tuple(f"[{text}]" if type_ == "NUMBER" else names.get(text, text) for type_, text in kept)


def _operands(words: list[str]) -> int:
    """Count the operands of a list in parentheses that words begin with."""
    inside = words[1 : words.index("RPAREN")] if "RPAREN" in words else []
    return inside.count("COMMA") + 1


def _key_names(request: dict[str, Any]) -> list[str]:
    """Return the key attributes of what a Query reads."""
    table = dynamodb._tables.get(dynamodb._normalize_table_name(request.get("TableName", "")))
    if table is None:
        return []
    index = dynamodb._index_def(table, request["IndexName"]) if request.get("IndexName") else None
    return [key["AttributeName"] for key in (index or table)["KeySchema"]]
