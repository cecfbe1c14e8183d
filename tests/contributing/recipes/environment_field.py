"""A field of an environment: `delivery.typing_limit`, read by the function of the messages routes."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, edit, replace
from tests.contributing.recipe import Recipe

_FIELD: Final = """    typing_limit: int = setting(
        "Most participants of a conversation in which typing is published.", integer(1, 500, "participants")
    )
"""
_SNAPSHOTS: Final = "pytest tests/stacks/test_snapshots.py"
_ONE_SNAPSHOT: Final = '"tests/stacks/test_snapshots.py::test_template_equals_its_snapshot[dev-Routes]"'

RECIPE: Final = Recipe(
    "A field of an environment",
    (
        edit(
            "stacks/config/fields.py",
            "environments/dev.toml: delivery.typing_limit = 50: unknown field",
            after('    """Delivery of events to their recipients."""\n\n', _FIELD),
        ),
        edit(
            "environments/*.toml",
            "delivery.typing_limit is missing",
            after("fanout_limit = 50\n", "typing_limit = 50\n"),
        ),
        edit(
            "tests/stacks/test_config.py",
            "tests/stacks/test_config.py tests no wrong value of: delivery.typing_limit",
            after(
                '        ("delivery__fanout_limit", "501", "an integer from 1 to 500 (recipients)"),\n',
                '        ("delivery__typing_limit", "0", "an integer from 1 to 500 (participants)"),\n',
            ),
            replace('.replace("fanout_limit = 50\\n", "")', '.replace("fanout_limit = 50\\ntyping_limit = 50\\n", "")'),
        ),
        edit(
            "stacks/routes.py",
            "no stack reads the field: delivery.typing_limit",
            after(
                '        is_calls = domain == "calls"\n',
                "        limit = environment.delivery.typing_limit\n",
            ),
            after(
                "        limit = environment.delivery.typing_limit\n",
                '        typing = {"TYPING_LIMIT": limit} if domain == "messages" else {}\n',
            ),
            after(
                '                "DELIVERY_QUEUE_URL": self.delivery.queue.queue_url,\n', "                **typing,\n"
            ),
        ),
        edit(
            "handlers/settings.py",
            "handlers/settings.py has no field for the variable: TYPING_LIMIT",
            after("    idempotency_table: str\n", "    typing_limit: int\n"),
        ),
        edit(
            "handlers/entry/messages.py",
            "handlers/entry/messages.py does not read: settings.typing_limit",
            replace(
                "            fanout_limit=settings.fanout_limit,\n        ),\n        editor=MessageEditor(\n",
                "            fanout_limit=settings.typing_limit,\n        ),\n        editor=MessageEditor(\n",
            ),
        ),
        edit(
            "tests/harness/emulator.py",
            "tests/harness/emulator.py: AwsResources.variables lacks: TYPING_LIMIT",
            after('            "FANOUT_LIMIT": "20",\n', '            "TYPING_LIMIT": "20",\n'),
        ),
        edit(
            "bench/functions/send.py",
            "bench/functions/send.py: function_environment lacks: TYPING_LIMIT",
            after('        "FANOUT_LIMIT": str(_FANOUT_LIMIT),\n', '        "TYPING_LIMIT": "20",\n'),
        ),
    ),
    narrowed={_SNAPSHOTS: f"pytest {_ONE_SNAPSHOT}"},
    updates={_SNAPSHOTS: f"pytest --update-snapshots {_ONE_SNAPSHOT}"},
)
