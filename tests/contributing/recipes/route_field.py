"""A field of a route: `isSilent` of the request that marks messages as read."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, edit, replace
from tests.contributing.recipe import Recipe

_TEST: Final = """

def test_silent_read_is_accepted() -> None:
    assert "isSilent" in MarkRead.__struct_fields__
"""

RECIPE: Final = Recipe(
    "A field of a route",
    (
        edit(
            "contract/requests.py",
            "contract/requests.py lacks the field: MarkRead.isSilent",
            after(
                "    seq: Annotated[int, Meta(ge=1, le=limits.SEQUENCE_NUMBER_MAX)] | None = None\n",
                "    isSilent: bool = False\n",
            ),
        ),
        edit(
            "handlers/core/messages/mark_read.py",
            "handlers/core reads no field: MarkRead.isSilent",
            after("        if request.messageId is None", " and not request.isSilent"),
        ),
        edit(
            "tests/handlers/messages/test_mark_read.py",
            "no test in tests/handlers sends the field: MarkRead.isSilent",
            append(_TEST),
            after("from __future__ import annotations\n", "\nfrom contract.requests import MarkRead\n"),
        ),
        edit(
            "client/api/messages_api.py",
            "client/api cannot send the field: MarkRead.isSilent",
            after("seq: int | None = None, message_id: str | None = None", ", silent: bool = False"),
            replace("seq=seq, messageId=message_id)", "seq=seq, messageId=message_id, isSilent=silent)"),
        ),
    ),
)
