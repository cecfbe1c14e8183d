"""Terminal chat: `python -m client.cli.chat --user 1` in one terminal, `--user 2` in another, while `make up` runs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import logging
import os
import signal
import sys

import aiohttp

from client.api import targets
from client.api.cognito import Cognito
from client.api.session import Session
from client.api.targets import DemoUser, Target
from client.chat_client import ChatClient
from client.cli.commands import Commands, Quit
from client.cli.screen import Screen
from client.cli.terminal import Terminal
from client.errors import FAILURES, ApiError, Failure, SignInError, TargetError, UnreachableError


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m client.cli.chat", description="Chat in the terminal.")
    parser.add_argument("--user", type=int, default=1, metavar="N", help="demo user 1 or 2 (default 1)")
    parser.add_argument(
        "--email", help="sign in as somebody else; the password is asked for, or taken from the variable CHAT_PASSWORD"
    )
    parser.add_argument(
        "--target",
        default=targets.LOCAL,
        metavar="FILE",
        help="outputs or environment file of an environment (default: the local cloud that runs)",
    )
    parser.add_argument("--verbose", action="store_true", help="show what goes on below")
    return parser.parse_args(arguments)


def _who(options: argparse.Namespace, target: Target) -> tuple[str, str, DemoUser | None]:
    """Return e-mail address and password of who signs in, and the demo user to talk with."""
    if options.email:
        password = os.environ.get("CHAT_PASSWORD") or getpass.getpass(f"Password of {options.email}: ")
        return options.email, password, None
    users = target.demo_users
    if not users:
        raise TargetError("this environment has no demo users. Sign in as yourself: --email ADDRESS")
    if not 1 <= options.user <= len(users):
        raise TargetError(f"there is no demo user {options.user}; there are {len(users)}")
    me = users[options.user - 1]
    other = next((user for user in users if user is not me), None)
    return me.email, me.password, other


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Sign in, show the conversations, and talk until the input ends or the user quits.

    Raises:
        ClientError, EventsError: it cannot begin, or cannot go on.
    """
    target = await targets.find(options.target)
    email, password, other = _who(options, target)
    async with aiohttp.ClientSession() as http:
        session = await Session.sign_in(Cognito(target, http), email, password)
        screen = Screen(terminal, session.user_id, local=target.local)
        chat = ChatClient(target, session, http, on_update=screen.update)
        screen.attach(chat)
        async with chat:
            profile = (await chat.api.me()).user
            terminal.note(f"Signed in as {profile.fullName} ({email}). /help lists the commands.")
            commands = Commands(chat, screen)
            await commands.begin(other.name if other else None)
            await _talk(commands, screen, terminal)
            await screen.settled()


async def _talk(commands: Commands, screen: Screen, terminal: Terminal) -> None:
    async for line in terminal.lines():
        try:
            await commands.run(line)
        except Quit:
            return
        except ApiError as error:
            terminal.note(f"Not done: {error.message}" + (f" ({error.field})" if error.field else ""))
        except SignInError as error:
            raise error
        except FAILURES as error:
            terminal.note(f"Not done: {error}. Try again.")


def explain(error: Failure) -> str:
    """Return what a user should read: what failed, why, and what helps."""
    if isinstance(error, UnreachableError):
        return f"{error}. If it is the local cloud: start it with make up, in another terminal."
    if isinstance(error, SignInError):
        return f"Signing in failed: {error}."
    return str(error)


def main(arguments: list[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options = _arguments(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.CRITICAL, format="%(name)s: %(message)s")
    try:
        with asyncio.Runner() as runner, contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            loop = runner.get_loop()
            task = loop.create_task(run(options, Terminal()))
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
            loop.add_signal_handler(signal.SIGINT, task.cancel)
            loop.run_until_complete(task)
    except FAILURES as error:
        print(explain(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
