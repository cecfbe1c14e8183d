"""The chaos run draws usable faults, and its comparison finds what is missing, doubled or misplaced."""

from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from appsync_events_local.publish.faults import fault_rule_from
from msgspec.structs import replace

from bench.__main__ import COMMANDS, main
from bench.chaos.clients import ChatUser, Talk
from bench.chaos.comparison import compare_accepted, compare_view
from bench.chaos.cutting_proxy import CuttingProxy
from bench.chaos.fault_sets import SECONDS_MAX, SECONDS_MIN, FaultSets
from bench.chaos.run import WINDOW_SECONDS, longest_stall, rate, windows
from bench.chaos.sending import Sends
from contract.models import Message
from local.emulator.faults import parse_rule


def test_fault_sets_are_usable_and_follow_from_their_seed() -> None:
    drawn = [FaultSets(random.Random(7)) for _ in range(2)]
    for _ in range(300):
        first, second = (sets.next() for sets in drawn)
        assert first == second
        rules = [parse_rule(dict(rule)) for rule in first.aws]
        for rule in first.events:
            fault_rule_from(rule)
        assert any(rule.effect == "kill" for rule in rules)
        assert SECONDS_MIN <= first.seconds <= SECONDS_MAX
    assert FaultSets(random.Random(8)).next() != FaultSets(random.Random(7)).next()


def test_figures_of_the_acceptances() -> None:
    accepted = [1.0, 2.0, 12.0, 29.0]
    assert rate(accepted, 0.0, 10.0) == pytest.approx(0.2)
    assert windows(accepted, 0.0, 30.0) == pytest.approx([2 / WINDOW_SECONDS, 1 / WINDOW_SECONDS, 1 / WINDOW_SECONDS])
    assert longest_stall(accepted, 0.0, 30.0) == pytest.approx(17.0)
    assert longest_stall([], 5.0, 30.0) == pytest.approx(25.0)


class World:
    """A direct conversation in which one user sent three messages."""

    def __init__(self) -> None:
        self.ada, self.grace = self._user("ada"), self._user("grace")
        self.talk = Talk("conversation", (self.ada, self.grace))
        self.sends = Sends()
        self.history = [self._message(seq) for seq in (1, 2, 3)]
        for message in self.history:
            self.sends.accept(self.talk, self.ada, message.content or "")
        self.grace.reported["conversation"] = list(self.history)
        self.loaded, self.latest_seq = list(self.history), 3

    def _user(self, name: str) -> ChatUser:
        return ChatUser(cast(Any, SimpleNamespace(user_id=name)), cast(Any, None), cast(Any, self._chat()))

    def _chat(self) -> Any:
        world = self

        class Inbox(dict[str, Any]):
            def __contains__(self, key: object) -> bool:
                return True

            def __missing__(self, key: str) -> Any:
                return SimpleNamespace(view=SimpleNamespace(latestSeq=world.latest_seq))

        return SimpleNamespace(inbox=Inbox(), conversation=lambda _id: SimpleNamespace(messages=world.loaded))

    @staticmethod
    def _message(seq: int) -> Message:
        return Message(
            conversationId="conversation",
            timestamp=f"2026-01-01T00:00:0{seq}.000Z",
            messageId=f"m{seq}",
            senderId="ada",
            type="TEXT",
            content=f"ada {seq}",
            seq=seq,
        )

    def stored(self) -> list[str]:
        """What the comparison of the history finds."""
        return compare_accepted(self.talk, self.history, self.sends)

    def seen(self) -> list[str]:
        """What the comparison of the other user's view finds."""
        return compare_view(self.grace, self.talk, {"conversation": self.history})


def test_nothing_is_found_where_everything_is_stored_once_and_seen() -> None:
    world = World()
    assert world.stored() == []
    assert world.seen() == []


def test_a_missing_doubled_or_exchanged_message_of_the_history_is_found() -> None:
    for change in (
        lambda history: history[:2],
        lambda history: [*history, replace(history[2], seq=4)],
        lambda history: [history[0], replace(history[1], content="ada 3"), replace(history[2], content="ada 2")],
        lambda history: [history[0], history[2], history[1]],
    ):
        world = World()
        world.history = change(world.history)
        assert world.stored() != []


def test_a_view_that_lacks_repeats_or_exchanges_messages_is_found() -> None:
    for change in (
        lambda messages: messages[:2],
        lambda messages: [*messages, messages[2]],
        lambda messages: [messages[1], messages[0], messages[2]],
    ):
        reported, loaded, listed = World(), World(), World()
        reported.grace.reported["conversation"] = change(reported.history)
        assert reported.seen() != []
        loaded.loaded = change(loaded.history)
        assert loaded.seen() != []
        listed.latest_seq = 2
        assert listed.seen() != []


def test_a_view_after_a_reset_may_lack_what_the_client_did_not_load() -> None:
    world = World()
    world.grace.resets["conversation"] = 1
    world.grace.reported["conversation"] = world.history[2:]
    world.loaded = world.history[1:]
    assert world.seen() == []


async def test_the_proxy_forwards_and_cuts() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="answer")

    application = web.Application()
    application.router.add_get("/path", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with CuttingProxy(url, random.Random(1)) as proxy, aiohttp.ClientSession() as http:
        async with http.get(f"{proxy.url}/path") as response:
            assert await response.text() == "answer"
        proxy.cut_share = 1.0
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"{proxy.url}/path")
        assert proxy.cuts >= 1
    await runner.cleanup()
    await asyncio.sleep(0)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_options_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", name, "--help"])
    with pytest.raises(SystemExit):
        main()
    assert f"python -m bench {name}" in capsys.readouterr().out
