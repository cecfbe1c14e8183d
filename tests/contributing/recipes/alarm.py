"""An alarm: too many requests of the HTTP API are refused."""

from __future__ import annotations

from typing import Final

from tests.completeness.test_alarms import RUNBOOK
from tests.contributing.edits import after, append, before, edit
from tests.contributing.recipe import Recipe

_ALARM: Final = """    yield AlarmDefinition(
        id="ApiRefusals",
        metrics=[metrics.http_api("4xx")],
        above=1000,
        impact="Clients cannot do what users ask for.",
        cause="The HTTP API refused more than 1,000 requests in five minutes.",
        runbook="Requests are refused",
    )
"""
_SECTION: Final = """
### Requests are refused

Find the operation with the most refusals in the access log.
"""
_SNAPSHOT: Final = """  ApiRefusals:
    Properties:
      AlarmName: PantherKolab-ApiRefusals-{environment}
    Type: AWS::CloudWatch::Alarm
"""


def _snapshot(environment: str) -> str:
    return _SNAPSHOT.format(environment=environment)


RECIPE: Final = Recipe(
    "An alarm",
    (
        edit(
            "stacks/monitoring/alarms.py",
            f"no alarm of stacks/monitoring/alarms.py names the section of {RUNBOOK}: Requests are refused",
            before('    yield AlarmDefinition(\n        id="ApiSlow",\n', _ALARM),
        ),
        edit(RUNBOOK, f"{RUNBOOK} lacks the section: Requests are refused", append(_SECTION)),
        *(
            edit(
                f"tests/snapshots/{environment}/Operations.yaml",
                f"tests/snapshots/{environment}/Operations.yaml lacks the alarm: ApiRefusals; run: make snapshots",
                after("\nResources:\n", _snapshot(environment)),
            )
            for environment in ("local", "prod", "staging")
        ),
    ),
)
