"""DynamoDB under strict rules. Import after `configure_ministack`."""

from __future__ import annotations

from local.emulator.strict.dynamodb.requests import StrictDynamoDb

__all__ = ["StrictDynamoDb"]
