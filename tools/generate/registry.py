"""The generated files: path below the repository to the function that returns the file's text.

A new generated file is one more line of `DOCUMENTS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from appsync_js import permissions
from appsync_js.render import namespaces
from stacks.config import load as environments
from tools.generate import (
    asyncapi,
    call_pages,
    capacity_page,
    conformance,
    cost_estimates,
    cost_page,
    doctor_page,
    handler_lists,
    local_events,
    openapi,
    pages,
    replacements,
    requirements,
    retention,
    schemas,
    strict_rules,
    typescript,
    verification,
)

Text = Callable[[], str]


def _json(document: Callable[[], dict[str, Any]]) -> Text:
    return lambda: json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


DOCUMENTS: Final[dict[str, Text]] = {
    "contract/generated/openapi.json": _json(openapi.document),
    "contract/generated/asyncapi.json": _json(asyncapi.document),
    "contract/generated/events.schema.json": _json(schemas.events_document),
    "contract/generated/types.ts": typescript.document,
    "docs/reference/routes.md": pages.routes_page,
    "docs/reference/events.md": pages.events_page,
    "docs/reference/data-model.md": pages.data_model_page,
    "docs/reference/call-states.md": call_pages.call_states_page,
    "docs/reference/costs-per-operation.md": cost_page.page,
    cost_estimates.PAGE: cost_estimates.page,
    cost_estimates.CHART: cost_estimates.picture,
    "docs/reference/permissions.md": permissions.markdown,
    "docs/reference/environments.md": environments.describe,
    doctor_page.PAGE: doctor_page.doctor_page,
    "docs/reference/verification.md": verification.verification_page,
    capacity_page.PAGE: capacity_page.page,
    capacity_page.PLOT: capacity_page.plot,
    requirements.PAGE: requirements.page,
    "docs/reference/retention.md": retention.page,
    strict_rules.PAGE: strict_rules.page,
    replacements.PAGE: _json(replacements.document),
    "packages/appsync-events-local/docs/service.md": local_events.page,
    "packages/appsync-events-local/docs/conformance.md": conformance.page,
    **{f"appsync_js/{namespace}.js": partial(handler_lists.generated, namespace) for namespace in namespaces()},
}
"""Files of which only marked parts are generated are returned whole, with their other parts unchanged."""
