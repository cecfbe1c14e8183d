"""Resolves CloudFormation's intrinsic functions.

References to resources, parameters, conditions, mappings and exports are resolved by a `Names`.
Source: CloudFormation user guide, "Intrinsic function reference" and "Condition functions".
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

NO_VALUE: Final = object()
"""`AWS::NoValue`: a property with this value is removed."""
_VARIABLE: Final = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")
_DYNAMIC: Final = re.compile(r"\{\{resolve:([^}]*)\}\}")


class UnresolvedError(Exception):
    """A value cannot be resolved.

    Args:
        message: the cause.
        remedy: what to do.
    """

    def __init__(self, message: str, remedy: str = "fix the template") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Names(Protocol):
    """Resolves references. Every method raises `UnresolvedError` for a name that does not exist."""

    def reference(self, name: str) -> Any: ...
    def attribute(self, logical_id: str, attribute: str) -> Any: ...
    def condition(self, name: str) -> bool: ...
    def mapped(self, map_name: str, first: str, second: str) -> Any: ...
    def imported(self, export: str) -> Any: ...


class Intrinsics:
    """Resolves values.

    Args:
        names: resolves references.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": lambda name: self._names.reference(_text(name, "Ref")),
            "Condition": lambda name: self._names.condition(_text(name, "Condition")),
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda value: base64.b64encode(self._as_text(value, "Fn::Base64").encode()).decode(),
            "Fn::ImportValue": lambda value: self._names.imported(self._as_text(value, "Fn::ImportValue")),
            "Fn::Equals": self._equals,
            "Fn::And": lambda terms: all(self.truth(term) for term in _list(terms, "Fn::And")),
            "Fn::Or": lambda terms: any(self.truth(term) for term in _list(terms, "Fn::Or")),
            "Fn::Not": lambda terms: not self.truth(_list(terms, "Fn::Not", 1)[0]),
            "Fn::Length": lambda value: len(_list(self.value(value), "Fn::Length")),
            "Fn::ToJsonString": lambda value: json.dumps(self.value(value), separators=(",", ":")),
        }

    def value(self, node: Any) -> Any:
        """Return the value of a part of a template.

        Raises:
            UnresolvedError: the value cannot be resolved.
        """
        if isinstance(node, str):
            return _literal(node)
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        name = function_name(node)
        if name is not None:
            return self.call(name, node[name])
        resolved = {key: self.value(inner) for key, inner in node.items()}
        return {key: inner for key, inner in resolved.items() if inner is not NO_VALUE}

    def call(self, name: str, argument: Any) -> Any:
        """Return the value of one intrinsic function.

        Raises:
            UnresolvedError: see `value`.
        """
        function = self._functions.get(name)
        if function is None:
            raise UnresolvedError(f"{name} is not supported", "write the value itself into the template")
        return function(argument)

    def truth(self, node: Any) -> bool:
        """Return the value of a condition.

        Raises:
            UnresolvedError: the condition cannot be resolved, or is neither true nor false.
        """
        value = self.value(node)
        if value in (True, "true"):
            return True
        if value in (False, "false"):
            return False
        raise UnresolvedError(f"{value!r} is not a condition")

    def _get_att(self, argument: Any) -> Any:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        logical_id, attribute = _list(argument, "Fn::GetAtt", 2)
        return self._names.attribute(_text(logical_id, "Fn::GetAtt"), self._as_text(attribute, "Fn::GetAtt"))

    def _sub(self, argument: Any) -> str:
        template, given = (argument, {}) if isinstance(argument, str) else _list(argument, "Fn::Sub", 2)
        if not isinstance(given, dict):
            raise UnresolvedError("the second argument of Fn::Sub must be a map")

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in given:
                return self._as_text(given[name], "Fn::Sub")
            if "." in name:
                return self._as_text({"Fn::GetAtt": name}, "Fn::Sub")
            return self._as_text({"Ref": name}, "Fn::Sub")

        return str(_literal(_VARIABLE.sub(replaced, _text(template, "Fn::Sub"))))

    def _join(self, argument: Any) -> str:
        delimiter, parts = _list(argument, "Fn::Join", 2)
        values = _list(self.value(parts), "Fn::Join")
        return str(_literal(_text(delimiter, "Fn::Join").join(as_text(value, "Fn::Join") for value in values)))

    def _select(self, argument: Any) -> Any:
        index, values = _list(argument, "Fn::Select", 2)
        choices = _list(self.value(values), "Fn::Select")
        position = self._as_text(index, "Fn::Select")
        if not position.isdigit() or int(position) >= len(choices):
            raise UnresolvedError(f"Fn::Select asks for element {position} of a list of {len(choices)}")
        return choices[int(position)]

    def _split(self, argument: Any) -> list[str]:
        delimiter, text = _list(argument, "Fn::Split", 2)
        return self._as_text(text, "Fn::Split").split(_text(delimiter, "Fn::Split"))

    def _if(self, argument: Any) -> Any:
        name, then, otherwise = _list(argument, "Fn::If", 3)
        return self.value(then if self._names.condition(_text(name, "Fn::If")) else otherwise)

    def _find_in_map(self, argument: Any) -> Any:
        terms = _list(argument, "Fn::FindInMap")
        options = terms[3] if len(terms) == 4 and isinstance(terms[3], dict) else {}
        map_name, first, second = [
            self._as_text(term, "Fn::FindInMap") for term in _list(terms[:3], "Fn::FindInMap", 3)
        ]
        try:
            return self._names.mapped(map_name, first, second)
        except UnresolvedError:
            if "DefaultValue" in options:
                return self.value(options["DefaultValue"])
            raise

    def _equals(self, argument: Any) -> bool:
        one, other = [self.value(term) for term in _list(argument, "Fn::Equals", 2)]
        if isinstance(one, dict | list) or isinstance(other, dict | list):
            return bool(one == other)
        return as_text(one, "Fn::Equals") == as_text(other, "Fn::Equals")

    def _as_text(self, node: Any, function: str) -> str:
        return as_text(self.value(node), function)


def function_name(node: Mapping[str, Any]) -> str | None:
    """Return the name of the intrinsic function that this map represents; `None` if it is a plain map."""
    if len(node) != 1:
        return None
    name = next(iter(node))
    if name == "Condition":
        return name if isinstance(node[name], str) else None
    return name if name == "Ref" or name.startswith("Fn::") else None


def as_text(value: Any, function: str) -> str:
    """Return the text of a scalar, in CloudFormation's format.

    Raises:
        UnresolvedError: the value is not a scalar.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise UnresolvedError(f"{function} needs text, not {type(value).__name__}")


def _literal(text: str) -> str:
    dynamic = _DYNAMIC.search(text)
    if dynamic is not None:
        raise UnresolvedError(
            f"the dynamic reference {dynamic.group(0)} is resolved by CloudFormation at deployment",
            "replace it by a parameter, and set its value with --parameter",
        )
    return text


def _list(value: Any, function: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list):
        raise UnresolvedError(f"{function} needs a list, not {type(value).__name__}")
    if length is not None and len(value) != length:
        raise UnresolvedError(f"{function} needs {length} arguments, not {len(value)}")
    return value


def _text(value: Any, function: str) -> str:
    if not isinstance(value, str):
        raise UnresolvedError(f"{function} needs text, not {type(value).__name__}")
    return value
