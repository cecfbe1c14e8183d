"""`python -m local.events`: run the service, or print the choices it makes where AWS documents nothing."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from local.events import choices, limits
from local.events.app import Settings, make_app
from local.events.broker import MAX_UNSENT_BYTES
from local.events.data_sources import DataSources
from local.events.registry import RegistryError

IPV4: Final = "127.0.0.1"
IPV6: Final = "::1"
SHUTDOWN_SECONDS: Final = 3.0

_log = logging.getLogger("local.events")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: the service cannot start, and stderr says why)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["choices"]:
        print(choices.as_text())
        return 0
    options = _parser().parse_args(given)
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr)
    try:
        settings = _settings(options)
        asyncio.run(_serve(settings, options.port, options.aws_endpoint, ipv6=options.ipv6))
    except (OSError, RegistryError, ValueError) as error:
        print(f"The Events service cannot start: {error}", file=sys.stderr)
        return 2
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    token = options.control_token_file.read_text().strip()
    if not token:
        raise ValueError(f"{options.control_token_file} is empty; it must hold the token of the control API")
    return Settings(
        state=options.state,
        control_token=token,
        cognito_endpoint=options.cognito_endpoint,
        credentials=options.credentials,
        keep_alive_seconds=options.keep_alive_seconds,
        lifetime_seconds=options.lifetime_seconds,
        max_unsent_bytes=options.max_unsent_bytes,
        publishes_per_second=options.publishes_per_second,
        key_sets=_key_sets(options.jwks),
    )


def _key_sets(given: Sequence[str]) -> dict[str, str]:
    pairs = [entry.rpartition("=") for entry in given]
    for (name, _, place), entry in zip(pairs, given, strict=True):
        if not name or not place:
            raise ValueError(f"--jwks {entry}: must be a user pool id or an issuer, then = and a file or URL")
    return {name: place for name, _, place in pairs}


async def _serve(settings: Settings, port: int, aws_endpoint: str, *, ipv6: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    data_sources = DataSources(aws_endpoint)
    app = make_app(settings, data_sources)
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS, access_log=None)
    await runner.setup()
    try:
        for host in (IPV4, IPV6) if ipv6 else (IPV4,):
            await web.TCPSite(runner, host, port).start()
        _log.info("serving Event APIs on %s", ", ".join(str(address) for address in runner.addresses))
        await stop.wait()
    finally:
        await runner.cleanup()
        await asyncio.to_thread(data_sources.close)
    _log.info("stopped")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.events",
        description="Serve AppSync Event APIs on this machine. APIs are registered through the control API.",
        epilog="`python -m local.events choices` prints what this service does where AWS documents nothing.",
    )
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 takes a free one (see the log)")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="where registrations are kept")
    parser.add_argument("--control-token-file", type=Path, required=True, metavar="FILE", help="holds the token")
    parser.add_argument("--cognito-endpoint", metavar="URL", help="where user pools publish their keys; default: AWS")
    parser.add_argument(
        "--jwks",
        action="append",
        default=[],
        metavar="POOL=PLACE",
        help="file or URL of the key set of a user pool (by id) or an OpenID Connect issuer; may be repeated",
    )
    parser.add_argument("--aws-endpoint", required=True, metavar="URL", help="the emulated services (DynamoDB)")
    parser.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="JSON: who may sign; default: the access key id and secret access key 'local'",
    )
    parser.add_argument("--ipv6", action="store_true", help="listen on ::1 as well")
    parser.add_argument("--keep-alive-seconds", type=float, default=limits.KEEP_ALIVE_SECONDS, metavar="S")
    parser.add_argument("--lifetime-seconds", type=float, default=limits.CONNECTION_LIFETIME_SECONDS, metavar="S")
    parser.add_argument("--max-unsent-bytes", type=int, default=MAX_UNSENT_BYTES, metavar="N")
    parser.add_argument(
        "--publishes-per-second", type=int, default=limits.PUBLISHES_PER_SECOND_PER_CONNECTION, metavar="N"
    )
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
