"""The command-line settings of one emulator process."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

from local.emulator.strict.rules import DEFAULT, OFF, StrictRules, StrictRulesError, parse_rules
from local.state import StateDirectory

ACCOUNT_ID = "000000000000"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class EmulatorSettings:
    """Addresses and folders of one emulator process."""

    port: int
    events_port: int
    web_port: int
    state: StateDirectory
    region: str
    strict: StrictRules = DEFAULT
    durable: bool = True

    @property
    def events_url(self) -> str:
        return f"http://127.0.0.1:{self.events_port}"

    @property
    def events_host(self) -> str:
        """What `Dns.Http` and `Dns.Realtime` answer: a host without scheme or path, as on AWS."""
        return f"localhost:{self.events_port}"


def parse_arguments(arguments: list[str] | None = None) -> EmulatorSettings:
    """Read `python -m local.emulator` arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m local.emulator", description="The emulator process of the local cloud."
    )
    parser.add_argument("--port", type=int, required=True, help="loopback port of the AWS endpoint")
    parser.add_argument("--events-port", type=int, required=True, help="loopback port of the Events service")
    parser.add_argument("--web-port", type=int, required=True, help="loopback port of the web page")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="state directory")
    parser.add_argument("--region", default=DEFAULT_REGION, help="region of every resource (default: %(default)s)")
    parser.add_argument(
        "--strict",
        type=strict_rules,
        default=DEFAULT,
        metavar="on|off|JSON",
        help="rules of strict mode: all (on, the default), none (off), or a JSON object with single switches",
    )
    parser.add_argument("--memory", action="store_true", help="save nothing; a restart begins empty")
    parsed = parser.parse_args(arguments)
    state = StateDirectory(parsed.state.resolve())
    return EmulatorSettings(
        port=parsed.port,
        events_port=parsed.events_port,
        web_port=parsed.web_port,
        state=state,
        region=parsed.region,
        strict=parsed.strict,
        durable=not parsed.memory,
    )


def strict_rules(text: str) -> StrictRules:
    """Read a value of `--strict`.

    Raises:
        argparse.ArgumentTypeError: it is neither on, off nor a usable JSON object.
    """
    if text in ("on", "off"):
        return DEFAULT if text == "on" else OFF
    try:
        return parse_rules(json.loads(text))
    except StrictRulesError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither on, off nor JSON ({error})") from error


def configure_ministack(settings: EmulatorSettings) -> None:
    """Set the variables that ministack reads when it is imported; call it before any ministack import.

    Everything is bound to the loopback address: ministack's default is all interfaces, and with
    `cryptography` installed it also opens an MQTT port on all interfaces unless it is switched off.
    """
    for name in [name for name in os.environ if name.startswith(("AWS_", "LOCALSTACK_", "MINISTACK_", "SERVICES"))]:
        del os.environ[name]
    os.environ.update(
        BIND_HOST="127.0.0.1",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        GATEWAY_PORT=str(settings.port),
        MINISTACK_HOST="localhost",
        MINISTACK_REGION=settings.region,
        MINISTACK_ACCOUNT_ID=ACCOUNT_ID,
        PERSIST_STATE="1" if settings.durable else "0",
        STATE_DIR=str(settings.state.emulator),
        S3_PERSIST="1" if settings.durable else "0",
        S3_DATA_DIR=str(settings.state.objects),
        TMPDIR=str(settings.state.temporary),
        DOCKER_HOST="unix:///nonexistent/docker.sock",
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{settings.port}",
        LOG_LEVEL="INFO",
        PYTHONUNBUFFERED="1",
    )
