"""The data version: a change of a stored shape is a new version."""

from __future__ import annotations

from itertools import pairwise

from contract import stored


def test_change_of_a_stored_shape_is_a_new_data_version() -> None:
    assert stored.digest() == stored.CURRENT.digest, (
        "A table, item or event is stored in another shape. Add to HISTORY in contract/stored.py: "
        f'DataVersion({stored.CURRENT.number + 1}, READABLE_SINCE, "{stored.digest()}", "what changed"). '
        "READABLE_SINCE is the oldest version whose functions can read the new shape and keep it intact."
    )


def test_data_versions_are_numbered_one_by_one_and_readable_since_an_earlier_or_the_same_one() -> None:
    assert [each.number for each in stored.HISTORY] == list(range(1, len(stored.HISTORY) + 1))
    assert all(1 <= each.readable_since <= each.number for each in stored.HISTORY)
    assert all(earlier.readable_since <= later.readable_since for earlier, later in pairwise(stored.HISTORY))
    assert all(each.change.endswith(".") for each in stored.HISTORY)


def test_names_types_indexes_and_keys_are_part_of_the_shape_and_texts_are_not() -> None:
    shapes = stored.shapes()
    before = stored.digest(shapes)
    for change in (
        lambda tables: tables["Users"]["attributes"].update({"nickname?": "S"}),
        lambda tables: tables["Users"]["attributes"].update(email="N"),
        lambda tables: tables["Calls"]["indexes"].clear(),
        lambda tables: tables["Blocks"]["key"].update(userId="N"),
        lambda tables: tables["Outbox"].update(ttl=""),
    ):
        changed = stored.shapes()
        change(changed["tables"])
        assert stored.digest(changed) != before
    assert "description" not in str(shapes["events"]["MESSAGE_SENT"])
    assert "content" in shapes["events"]["SentMessage"]["properties"]
