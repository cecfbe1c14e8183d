"""CloudFormation under strict rules. Import after `configure_ministack`."""

from __future__ import annotations

from local.emulator.strict.cloudformation.installation import StrictCloudFormation

__all__ = ["StrictCloudFormation"]
