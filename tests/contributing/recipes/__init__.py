"""One recipe for each kind of change, in the order of CONTRIBUTING.md."""

from __future__ import annotations

from typing import Final

from tests.contributing.recipe import Recipe
from tests.contributing.recipes import (
    alarm,
    call_transition,
    environment_field,
    event_type,
    frame,
    index,
    limit,
    namespace,
    route,
    route_field,
)

RECIPES: Final[tuple[Recipe, ...]] = (
    event_type.RECIPE,
    route.RECIPE,
    route_field.RECIPE,
    namespace.RECIPE,
    alarm.RECIPE,
    environment_field.RECIPE,
    index.RECIPE,
    call_transition.RECIPE,
    limit.RECIPE,
    frame.RECIPE,
)
