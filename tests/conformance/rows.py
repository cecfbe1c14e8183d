"""Every row of the conformance table, by what it is about."""

from typing import Final

from tests.conformance.channel_rows import CHANNEL_ROWS
from tests.conformance.connect_rows import CONNECT_ROWS
from tests.conformance.publish_rows import PUBLISH_ROWS
from tests.conformance.subscribe_rows import SUBSCRIBE_ROWS
from tests.conformance.table import Place, Row

ROWS: Final[tuple[Row, ...]] = (*CONNECT_ROWS, *SUBSCRIBE_ROWS, *CHANNEL_ROWS, *PUBLISH_ROWS)


def rows_of(place: Place) -> list[Row]:
    """The rows that run there."""
    return [row for row in ROWS if place in row.places()]
