"""Reads CloudFormation properties; errors name the path of the property."""

from collections.abc import Iterable
from typing import Any, Final

_REQUIRED: Final = object()


class PropertyError(Exception):
    """A property is missing, malformed, or not supported.

    Args:
        path: path of the property, e.g. `EventConfig.AuthProviders[0].AuthType`.
        problem: what is wrong and what is allowed.
        remedy: what to do, if the problem alone does not say it.
    """

    def __init__(self, path: str, problem: str, remedy: str | None = None) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.remedy = remedy


class Properties:
    """A JSON object with its path. Every method that reads a value raises `PropertyError`."""

    def __init__(self, values: object, path: str) -> None:
        if not isinstance(values, dict):
            raise PropertyError(path or "body", f"must be an object, not {type(values).__name__}")
        self._values: dict[str, Any] = values
        self._path = path

    def at(self, key: str) -> str:
        """Return the path of `key`; the outer `properties` of a registration is not part of it."""
        parent = "" if self._path == "properties" else self._path
        return f"{parent}.{key}" if parent else key

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        """Return the string at `key`, or the default if it is missing."""
        value = self._present(key, default)
        if value is default:
            return value
        if not isinstance(value, str):
            raise PropertyError(self.at(key), f"must be text, not {type(value).__name__}")
        return value

    def one_of(self, key: str, allowed: Iterable[str], default: Any = _REQUIRED) -> Any:
        """Return the string at `key`, which must be one of `allowed`."""
        value = self.text(key, default)
        if value not in tuple(allowed):
            raise PropertyError(self.at(key), f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def only(self, *keys: str) -> None:
        """Check that the object has no other keys."""
        unknown = sorted(set(self._values) - set(keys))
        if unknown:
            raise PropertyError(self.at(unknown[0]), f"is unknown; {', '.join(keys)} are known")

    def count(self, key: str, default: int | None) -> int | None:
        """Return the integer at `key`, which must not be negative."""
        value = self._values.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise PropertyError(self.at(key), f"must be a whole number, not {value!r}")
        return value

    def number(self, key: str, default: float) -> float:
        """Return the number at `key`; CloudFormation may give it as a string."""
        value = self._present(key, default)
        try:
            if isinstance(value, bool):
                raise ValueError
            return float(value)
        except (TypeError, ValueError) as error:
            raise PropertyError(self.at(key), f"must be a number, not {value!r}") from error

    def map(self, key: str, default: Any = _REQUIRED) -> "Properties":
        return Properties(self._present(key, default), self.at(key))

    def maps(self, key: str) -> list["Properties"]:
        value = self._present(key, _REQUIRED)
        if not isinstance(value, list):
            raise PropertyError(self.at(key), f"must be a list, not {type(value).__name__}")
        return [Properties(entry, f"{self.at(key)}[{index}]") for index, entry in enumerate(value)]

    def _present(self, key: str, default: Any) -> Any:
        value = self._values.get(key)
        if value is not None:
            return value
        if default is _REQUIRED:
            raise PropertyError(self.at(key), "is missing")
        return default
