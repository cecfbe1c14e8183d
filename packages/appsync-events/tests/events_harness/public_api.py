"""The public API as text: one line for each class, member and signature.

`python -m events_harness.public_api` prints it. Annotations are the text of the source, so that the
result does not depend on the Python version.
"""

from __future__ import annotations

import enum
import inspect
import types
from collections.abc import Iterator
from typing import Any

import appsync_events

_SPECIAL = ("__aenter__", "__anext__", "__aiter__", "__add__")
"""Special methods that callers use through syntax; those that every class has are left out."""


def members(owner: type) -> Iterator[tuple[str, Any]]:
    """Yield the public members of a class with those of its private bases; for an attribute, its annotation."""
    if issubclass(owner, enum.Enum):
        yield from ((member.name, member) for member in owner)
        return
    seen: set[str] = set()
    for base in owner.__mro__:
        if base.__module__.split(".")[0] != "appsync_events" or (
            base is not owner and not base.__name__.startswith("_")
        ):
            continue
        annotated = {name: str(text) for name, text in inspect.get_annotations(base).items()}
        for name, value in {**annotated, **vars(base)}.items():
            public = not name.startswith("_") or name in _SPECIAL
            if not public or name in seen or (isinstance(value, types.MemberDescriptorType) and name not in annotated):
                continue
            seen.add(name)
            yield name, annotated.get(name, value.__func__ if isinstance(value, classmethod) else value)


def described(package: types.ModuleType) -> str:
    """Return the text for all names in `__all__`."""
    lines: list[str] = []
    for name in package.__all__:
        value = getattr(package, name)
        if not inspect.isclass(value):
            lines.append(f"{name} = {value}".replace("collections.abc.", "").replace("typing.", ""))
            continue
        bases = [base.__name__ for base in value.__bases__ if base is not object and base.__name__[0] != "_"]
        lines.append(f"class {name}" + (f"({', '.join(bases)})" if bases else "") + _constructor(value))
        lines += [f"    {_member(each, thing)}" for each, thing in sorted(members(value))]
    return "\n".join(lines) + "\n"


def _constructor(value: type) -> str:
    if issubclass(value, enum.Enum) or getattr(value, "_is_protocol", False):
        return ""
    return f": __init__{_signature(value.__init__)}"  # type: ignore[misc]


def _signature(function: Any) -> str:
    return str(inspect.signature(function)).replace("'", "")


def _member(name: str, value: Any) -> str:
    if isinstance(value, property):
        return f"{name}: {inspect.signature(value.fget).return_annotation} (property)" if value.fget else name
    if isinstance(value, enum.Enum):
        return f"{name} = {value.value!r}"
    if callable(value):
        return f"{'async ' if inspect.iscoroutinefunction(value) else ''}{name}{_signature(value)}"
    return f"{name}: {value}"


if __name__ == "__main__":
    print(described(appsync_events), end="")
