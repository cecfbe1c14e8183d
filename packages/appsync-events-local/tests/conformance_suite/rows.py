"""Every row of the conformance table, by what it is about."""

from typing import Final

from conformance_suite.channel_rows import CHANNEL_ROWS
from conformance_suite.connect_rows import CONNECT_ROWS
from conformance_suite.publish_rows import PUBLISH_ROWS
from conformance_suite.subscribe_rows import SUBSCRIBE_ROWS
from conformance_suite.table import Place, Row

ROWS: Final[tuple[Row, ...]] = (*CONNECT_ROWS, *SUBSCRIBE_ROWS, *CHANNEL_ROWS, *PUBLISH_ROWS)


def rows_of(place: Place) -> list[Row]:
    """The rows that run there."""
    return [row for row in ROWS if place in row.places()]
