"""A frame of the Events service: `ping`, which the service answers with `ping_success`."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, before, edit, replace
from tests.contributing.recipe import Recipe

_PACKAGE: Final = "packages/appsync-events-local"
_SUITE: Final = f"{_PACKAGE}/tests/conformance_suite"
_SOURCE: Final = f"{_PACKAGE}/src/appsync_events_local"
_CORE: Final = f"pytest {_PACKAGE}/tests/conformance/test_core.py"

_ROW: Final = """    row("ping", "ping", *connected(), Send({"type": "ping", "id": "x"}), expect(success("ping", "x")),
        assumption="ping-answer"),
"""
_ASSUMPTION: Final = """    behaviour(
        "ping-answer",
        "How is a ping answered?",
        "ping_success with its id",
        "the answer can be matched",
    ),
"""
_CASE: Final = """            case "ping":
                return [Send(frames.success("ping", str(frame.get("id"))))]
"""

RECIPE: Final = Recipe(
    "A frame of the Events service",
    (
        edit(
            f"{_SUITE}/facts.py",
            "conformance_suite/facts.py lacks ping; add the fact that the row shows",
            after("FRAMES: Final = (\n", '    fact("ping", "ping is answered with ping_success"),\n'),
        ),
        edit(
            f"{_SUITE}/connect_rows.py",
            "neither a row nor a test shows ping; add a row to conformance_suite/*_rows.py",
            before('    row("not-json", ', _ROW),
        ),
        edit(
            f"{_SOURCE}/assumptions/frames.py",
            "appsync_events_local/assumptions lacks ping-answer; add what the row assumes",
            before('    behaviour(\n        "unsupported-frames",\n', _ASSUMPTION),
        ),
        edit(
            f"{_SOURCE}/protocol/connection.py",
            "expected {'type': 'ping_success', 'id': 'x'}",
            before('            case "unsubscribe":\n', _CASE),
        ),
        edit(
            f"{_PACKAGE}/tests/protocol/test_protocol_properties.py",
            "protocol/test_protocol_properties.py does not send ping; add it to its frames",
            replace('["subscribe", "publish", "unsubscribe"]', '["subscribe", "publish", "unsubscribe", "ping"]'),
            replace('kind != "unsubscribe":', 'kind in ("subscribe", "publish"):'),
        ),
        edit(
            "ops/verify/events_consequences.py",
            "ops/verify/events_consequences.py lacks ping-answer; add to CODE the module that implements it",
            before('    "check-order": ', '    "ping-answer": "protocol/connection.py",\n'),
        ),
    ),
    narrowed={_CORE: f"{_CORE} -k ping"},
)
