"""Every undocumented point that can be seen from outside is asked of the target; the local cloud answers as it says."""

from __future__ import annotations

import aiohttp
import pytest
from appsync_events_local import assumptions

from tests.e2e.place import People, Place
from tests.e2e.probes import QUESTIONS, Context


def test_every_question_is_one_of_the_local_services_choices() -> None:
    known = [choice.id for choice in assumptions.all_assumptions()]
    asked = [question.id for question in QUESTIONS]
    assert set(asked) <= set(known)
    assert len(set(asked)) == len(asked)


async def test_undocumented_points_are_asked_and_shown(
    place: Place, people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, grace = await people.pair()
    group = await people.group(ada, grace)
    async with aiohttp.ClientSession() as http:
        at = Context(place, http, ada.id, group, await ada.session.access_token(), ada.session.id_token)
        observed: dict[str, str] = {}
        for question in QUESTIONS:
            try:
                observed[question.id] = await question.probe(at)
            except (aiohttp.ClientError, OSError, TimeoutError, KeyError, AssertionError) as error:
                observed[question.id] = f"could not be seen: {error!r}"
    with capsys.disabled():
        print(f"\nUndocumented points of AppSync Events, seen at {place.target.events_http_url}")
        for question in QUESTIONS:
            mark = "as chosen" if observed[question.id] == question.expected else "DIFFERS"
            print(f"  {question.id:<24} {mark:<10} {question.choice.question}")
            print(f"  {'':<24} {'':<10} seen: {observed[question.id]}; chosen: {question.expected}")
    if not place.deployed:
        assert observed == {question.id: question.expected for question in QUESTIONS}
