"""Standard input and output of the terminal chat: a terminal, or pipes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator

_PROMPT = "> "
_ERASE_LINE = "\r\x1b[K"
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class Terminal:
    """Reads and writes lines. In a terminal, the line being typed stays below the lines that arrive."""

    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._colours = self.interactive and "NO_COLOR" not in os.environ
        self._reading = False

    def show(self, text: str) -> None:
        """Write a line."""
        if self.interactive and self._reading:
            import readline

            text = f"{_ERASE_LINE}{text}\n{_PROMPT}{readline.get_line_buffer()}"
            print(text, end="", flush=True)
        else:
            print(text, flush=True)

    def note(self, text: str) -> None:
        """Write a status line, dimmed if the terminal has colours."""
        self.show(f"{_DIM}{text}{_PLAIN}" if self._colours else text)

    async def lines(self) -> AsyncIterator[str]:
        """Yield the lines of standard input, until its end.

        A thread reads, since asyncio can await neither line editing nor a file as standard input. It is a daemon, so
        that the process can end while it waits for a line.
        """
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str | None] = asyncio.Queue()

        def read() -> None:
            line: str | None = ""
            while line is not None:
                line = self._read()
                try:
                    loop.call_soon_threadsafe(queue.put_nowait, line)
                except RuntimeError:  # the event loop is closed: the program ends
                    return

        threading.Thread(target=read, name="standard input", daemon=True).start()
        while (line := await queue.get()) is not None:
            yield line

    def _read(self) -> str | None:
        if self.interactive:
            import readline  # noqa: F401 - its import gives input() line editing

            self._reading = True
            try:
                return input(_PROMPT)
            except EOFError:
                return None
            finally:
                self._reading = False
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None
