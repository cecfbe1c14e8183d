"""A limit: the longest id of the message that a message replies to; a JS handler checks it, too."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, edit, replace
from tests.contributing.recipe import Recipe

_LIMIT: Final = '''REPLY_ID_CHARACTERS: Final = 60
"""Longest id in `replyTo`."""
'''
_CHECK: Final = "return isText(value, LIMITS.REPLY_ID_CHARACTERS) && util.matches(ID, value);\n"
_TEST: Final = """

def test_reply_to_has_a_longest_length() -> None:
    assert limits.REPLY_ID_CHARACTERS == 60
"""

RECIPE: Final = Recipe(
    "A limit",
    (
        edit(
            "contract/limits.py",
            "contract/limits.py lacks: REPLY_ID_CHARACTERS",
            after('"""Longest id in a request, other than that of a conversation."""\n', _LIMIT),
        ),
        edit(
            "contract/requests.py",
            "no code enforces the limit: REPLY_ID_CHARACTERS",
            replace(
                "    replyTo: Id | None = None\n",
                "    replyTo: Annotated[str, Meta(max_length=limits.REPLY_ID_CHARACTERS)] | None = None\n",
            ),
        ),
        edit(
            "tools/generate/handler_lists.py",
            "tools/generate/handler_lists.py: LIMITS lacks: REPLY_ID_CHARACTERS",
            after('    "ID_CHARACTERS",\n', '    "REPLY_ID_CHARACTERS",\n'),
        ),
        edit(
            "appsync_js/conversations.js",
            "appsync_js reads no limit: REPLY_ID_CHARACTERS",
            after("    case 'replyTo':\n", f"      {_CHECK}"),
        ),
        edit(
            "tests/handlers/messages/test_send.py",
            "no test names the limit: REPLY_ID_CHARACTERS",
            append(_TEST),
        ),
        edit(
            "tests/snapshots/[dl]*/Events.yaml",
            "lacks a line of appsync_js/conversations.js; run: make snapshots",
            after("          ID_CHARACTERS: 64,\n", "          REPLY_ID_CHARACTERS: 60,\n"),
            after("case 'replyTo':\n", f"            {_CHECK}"),
        ),
    ),
)
