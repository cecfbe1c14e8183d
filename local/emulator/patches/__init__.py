"""Corrections of ministack 1.5.33, one module each.

Every module's text says what upstream does wrong. `tests/local/emulator/test_upstream_defects.py` shows each defect on
unmodified ministack: a test that fails there names the module to delete.
"""

from __future__ import annotations

from local.emulator.patches import (
    cognito_callers,
    copied_values,
    cors_from_template,
    dead_letters,
    disabled_accounts,
    function_failures,
    jwt_authorizer,
    log_wait,
    metric_math_alarms,
    post_confirmation,
    rule_targets,
    schedule_tick,
    table_settings,
    user_lookups,
)

__all__ = ["apply_fixes"]


def apply_fixes() -> None:
    """Apply every correction to the imported ministack."""
    table_settings.apply()
    copied_values.apply()
    cors_from_template.apply()
    dead_letters.apply()
    disabled_accounts.apply()
    function_failures.apply()
    jwt_authorizer.apply()
    metric_math_alarms.apply()
    log_wait.apply()
    post_confirmation.apply()
    cognito_callers.apply()
    rule_targets.apply()
    schedule_tick.apply()
    user_lookups.apply()
