"""Finds sockets of the local cloud that other machines could reach."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket of one process."""

    pid: int
    address: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.address).is_loopback


def exposed_listeners(pids: Iterable[int]) -> list[Listener]:
    """Sockets of these processes that listen on anything but the loopback address.

    Args:
        pids: process ids; their descendants are looked at as well.
    """
    return [listener for listener in listeners(pids) if not listener.is_loopback]


def listeners(pids: Iterable[int]) -> list[Listener]:
    """Every listening TCP socket of these processes and their descendants."""
    family = _with_descendants(set(pids))
    return list(_from_proc(family) if Path("/proc/net/tcp").exists() else _from_lsof(family))


def _with_descendants(pids: set[int]) -> set[int]:
    result = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in result.stdout.splitlines())}
    family = set(pids)
    while True:
        grown = family | {pid for pid, parent in parents.items() if parent in family}
        if grown == family:
            return family
        family = grown


def _from_proc(pids: set[int]) -> Iterator[Listener]:
    sockets: dict[str, tuple[str, int]] = {}
    for name in ("tcp", "tcp6"):
        table = Path("/proc/net") / name
        if not table.exists():
            continue
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN:
                address, port = fields[1].split(":")
                sockets[fields[9]] = (_decode_address(address), int(port, 16))
    for pid in pids:
        for inode in _socket_inodes(pid):
            if inode in sockets:
                yield Listener(pid, *sockets[inode])


def _socket_inodes(pid: int) -> Iterator[str]:
    try:
        descriptors = list((Path("/proc") / str(pid) / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]


def _decode_address(text: str) -> str:
    """Addresses in /proc/net are written as 32-bit words in the machine's byte order."""
    words = [bytes.fromhex(text[start : start + 8]) for start in range(0, len(text), 8)]
    ordered = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(ordered)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _from_lsof(pids: set[int]) -> Iterator[Listener]:
    result = subprocess.run(
        ["lsof", "-nP", "-iTCP", "-sTCP:LISTEN", "-a", "-p", ",".join(map(str, sorted(pids))), "-Fpn"],
        capture_output=True,
        text=True,
        check=False,
    )
    pid = 0
    for line in result.stdout.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line.startswith("n"):
            address, _, port = line[1:].rpartition(":")
            yield Listener(pid, {"*": "0.0.0.0"}.get(address, address.strip("[]")), int(port))  # noqa: S104 - read, not bound
