"""Sizes of responses: Lambda refuses large ones, so that pages are bounded by bytes as well as by number."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract.limits import RESPONSE_BYTES


def response_bytes(value: object) -> int:
    """Return the bytes of a value in Lambda's response, where the body is a JSON text within a JSON document.

    Quotation marks and backslashes of the body are escaped once more; other characters are not (Python 3.13 runtime).
    """
    encoded = msgspec.json.encode(value)
    return len(encoded) + encoded.count(b'"') + encoded.count(b"\\")


def fitting(values: Sequence[object], most: int = RESPONSE_BYTES) -> int:
    """Return how many of some values, from the first, fit one response; at least one, where there is one."""
    total = 0
    for number, value in enumerate(values):
        total += response_bytes(value)
        if total > most and number > 0:
            return number
    return len(values)
