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

from client.api import targets
from client.api.targets import DemoUser, Target
from client.chat_client import ChatClient
from client.cli.commands import Commands, Quit
from client.cli.screen import Screen
from client.cli.terminal import Terminal
from client.errors import ApiError, ClientError, SignInError, TargetError, UnreachableError


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m client.cli.chat", description="Chat in the terminal.")
    parser.add_argument("--user", type=int, default=1, metavar="N", help="demo user 1 or 2 (default 1)")
    parser.add_argument(
        "--email", help="sign in with this address; the password is read from CHAT_PASSWORD or from the terminal"
    )
    parser.add_argument(
        "--target",
        default=targets.LOCAL,
        metavar="FILE",
        help="outputs or environment file of an environment (default: the running local cloud)",
    )
    parser.add_argument("--verbose", action="store_true", help="show the log")
    return parser.parse_args(arguments)


def _account(options: argparse.Namespace, target: Target) -> tuple[str, str, DemoUser | None]:
    """Return e-mail address and password to sign in with, and the demo user to open the conversation with."""
    if options.email:
        password = os.environ.get("CHAT_PASSWORD") or getpass.getpass(f"Password of {options.email}: ")
        return options.email, password, None
    users = target.demo_users
    if not users:
        raise TargetError("this environment has no demo users. Sign in with your own account: --email ADDRESS")
    if not 1 <= options.user <= len(users):
        raise TargetError(f"there is no demo user {options.user}; there are {len(users)}")
    me = users[options.user - 1]
    other = next((user for user in users if user is not me), None)
    return me.email, me.password, other


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Sign in, show the conversations, and execute the input until it ends or the user quits.

    Raises:
        ClientError: signing in or connecting failed, or the session ended.
    """
    target = await targets.find(options.target)
    email, password, other = _account(options, target)
    chat = await ChatClient.sign_in(target, email, password)
    screen = Screen(terminal, chat, local=target.local)
    chat.add_listener(screen.update)
    async with chat:
        profile = (await chat.api.me()).user
        terminal.note(f"Signed in as {profile.fullName} ({email}). /help lists the commands.")
        commands = Commands(chat, screen)
        await commands.open_first(other.name if other else None)
        await _execute_lines(commands, terminal)
        await screen.settled()


async def _execute_lines(commands: Commands, terminal: Terminal) -> None:
    async for line in terminal.lines():
        try:
            await commands.run(line)
        except Quit:
            return
        except ApiError as error:
            terminal.note(f"Not done: {error.message}" + (f" ({error.field})" if error.field else ""))
        except SignInError:
            raise
        except ClientError as error:
            terminal.note(f"Not done: {error}. Try again.")


def explain(error: ClientError) -> str:
    """Return the text to show for an error: what failed, why, and what to do."""
    if isinstance(error, UnreachableError):
        return f"{error}. If it is the local cloud, start it with make up, in another terminal."
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
    except ClientError as error:
        print(explain(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
