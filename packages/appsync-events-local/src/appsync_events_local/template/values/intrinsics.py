"""CloudFormation's intrinsic functions, worked out without CloudFormation.

Source: CloudFormation user guide, "Intrinsic function reference" and "Condition functions". What a function refers to
is asked of a `Names`; this module knows only what functions do with it.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

NO_VALUE: Final = object()
"""`AWS::NoValue`: the property that has it is left out."""
_VARIABLE: Final = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")
_DYNAMIC: Final = re.compile(r"\{\{resolve:([^}]*)\}\}")


class UnresolvedError(Exception):
    """A value cannot be worked out.

    Args:
        message: why.
        remedy: what the reader of the message can do.
    """

    def __init__(self, message: str, remedy: str = "mend the template") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Names(Protocol):
    """What functions refer to. Every method raises `UnresolvedError` for what there is not."""

    def reference(self, name: str) -> Any: ...
    def attribute(self, logical_id: str, attribute: str) -> Any: ...
    def condition(self, name: str) -> bool: ...
    def mapped(self, map_name: str, first: str, second: str) -> Any: ...
    def imported(self, export: str) -> Any: ...


class Intrinsics:
    """Works out values.

    Args:
        names: what they refer to.
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
        """The value of a part of a template.

        Raises:
            UnresolvedError: it cannot be worked out.
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
        worked_out = {key: self.value(inner) for key, inner in node.items()}
        return {key: inner for key, inner in worked_out.items() if inner is not NO_VALUE}

    def call(self, name: str, argument: Any) -> Any:
        """What one function gives.

        Raises:
            UnresolvedError: see `value`.
        """
        function = self._functions.get(name)
        if function is None:
            raise UnresolvedError(f"{name} is not worked out here", "write the value itself into the template")
        return function(argument)

    def truth(self, node: Any) -> bool:
        """The value of a condition.

        Raises:
            UnresolvedError: it cannot be worked out, or is neither true nor false.
        """
        value = self.value(node)
        if value in (True, "true"):
            return True
        if value in (False, "false"):
            return False
        raise UnresolvedError(f"{value!r} is no condition")

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
    """The function that this map stands for, if it is one."""
    if len(node) != 1:
        return None
    name = next(iter(node))
    if name == "Condition":
        return name if isinstance(node[name], str) else None
    return name if name == "Ref" or name.startswith("Fn::") else None


def as_text(value: Any, function: str) -> str:
    """The text of a plain value, as CloudFormation writes it.

    Raises:
        UnresolvedError: it is no plain value.
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
            f"the dynamic reference {dynamic.group(0)} is looked up by CloudFormation itself, when it deploys",
            "replace it by a parameter, and give its value by --parameter",
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
