"""The command line of `appsync-events-local`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appsync_events_local import limits
from appsync_events_local._version import __version__
from appsync_events_local.cli import fault_flags
from appsync_events_local.observability.log import LogFormat
from appsync_events_local.publish.broker import MAX_UNSENT_BYTES
from appsync_events_local.publish.faults import FaultRule
from appsync_events_local.template import settings

PROGRAM: Final = "appsync-events-local"
DEFAULT_PORT: Final = 4570

EPILOG: Final = """\
examples:
  appsync-events-local --assembly cdk.out
      every Event API of a CDK app, after `cdk synth`; prints addresses, API keys and a client configuration
  appsync-events-local --template api.yaml --parameter Stage=dev
      the Event APIs of one CloudFormation template
  appsync-events-local --template api.yaml --handler chat=src/chat.js --watch
      the code of namespace chat from its source file, loaded again whenever it is saved
  appsync-events-local --assembly cdk.out --fault drop:/chat/*:10% --fault delay:250ms
      drops 10% of the deliveries of the chat channels and delays the others
  appsync-events-local --assembly cdk.out --aws-endpoint http://127.0.0.1:4566 --create-tables
      data sources (DynamoDB, …) in a running emulator of AWS, in which the templates' tables are created

other commands:
  appsync-events-local evaluate     run one handler with one context, as AWS's EvaluateCode does; see its --help
  appsync-events-local assumptions  print what the service does where AWS documents nothing, and why

docs/service.md of this package lists what is imitated and what is not."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the options; ends the process with a message if they are invalid."""
    command_line = parser()
    options = command_line.parse_args(arguments)
    if not (options.assembly or options.template) and options.state is None:
        command_line.error(
            "--assembly or --template is required; without them, --state and --control-token-file (APIs are then "
            "registered through the control API)"
        )
    if (options.tls_certificate is None) != (options.tls_key is None):
        command_line.error("--tls-certificate and --tls-key require each other")
    if options.create_tables and options.aws_endpoint is None:
        command_line.error("--create-tables requires --aws-endpoint, in which the tables are created")
    if options.watch and not (options.assembly or options.template):
        command_line.error("--watch requires --assembly or --template")
    return options


def parser() -> argparse.ArgumentParser:
    """Return the parser with every option and its help."""
    command_line = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Serve AWS AppSync Event APIs, with their handlers, on this machine, without an AWS account.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command_line.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _templates(command_line.add_argument_group("templates"))
    _address(command_line.add_argument_group("address"))
    _environment(command_line.add_argument_group("environment"))
    _observability(command_line.add_argument_group("log and status page"))
    command_line.add_argument_group("fault rules, to test clients").add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="KIND[:CHANNEL][:AMOUNT]", help=fault_flags.HELP
    )
    _limits(command_line.add_argument_group("limits, for tests"))
    return command_line


def _templates(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--assembly",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a CDK assembly (cdk.out); may be repeated",
    )
    group.add_argument(
        "--template",
        type=_template,
        action="append",
        default=[],
        metavar="[STACK=]FILE",
        help="a CloudFormation template (JSON or YAML) and its stack name (default: the file's); may be repeated",
    )
    group.add_argument(
        "--handler",
        type=_handler,
        action="append",
        default=[],
        metavar="NAMESPACE=FILE",
        help="read a namespace's code from this file instead (API/NAMESPACE=FILE if several APIs have it)",
    )
    group.add_argument(
        "--watch",
        action="store_true",
        help="load changed templates and handlers when they are saved; connections and subscriptions stay",
    )
    group.add_argument(
        "--parameter",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a template parameter",
    )
    group.add_argument(
        "--import",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="imports",
        help="value for Fn::ImportValue of a stack that is not among the templates",
    )
    group.add_argument(
        "--resource",
        type=_pair,
        action="append",
        default=[],
        metavar="LOGICAL_ID=PHYSICAL_ID",
        help="physical id of an existing resource, e.g. a table; Stack.LogicalId if several stacks have it",
    )
    group.add_argument("--region", metavar="REGION", help="region of the APIs (default: the assembly's, or us-east-1)")
    group.add_argument(
        "--account", default=settings.DEFAULT_ACCOUNT, metavar="ID", help="account of the APIs (default: %(default)s)"
    )


def _address(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default: %(default)s); 0 selects a free port"
    )
    group.add_argument("--tls", action="store_true", help="https and wss, with a self-signed certificate")
    group.add_argument(
        "--tls-certificate", type=Path, metavar="FILE", help="certificate (PEM) to use instead of a self-signed one"
    )
    group.add_argument("--tls-key", type=Path, metavar="FILE", help="key (PEM) of --tls-certificate")
    group.add_argument(
        "--ipv6", action="store_true", help="fail if listening on ::1 is not possible (default: continue without it)"
    )


def _environment(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="folder for token, certificate and registrations (default: a temporary folder)",
    )
    group.add_argument(
        "--control-token-file",
        type=Path,
        metavar="FILE",
        help="file with the token of the control API (default: a generated token)",
    )
    group.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="JSON file of the access keys that may sign (default: access key id `local`, secret access key `local`)",
    )
    group.add_argument(
        "--permissions",
        metavar="URL",
        help="decision endpoint for IAM permissions (default: every signer has all permissions)",
    )
    group.add_argument(
        "--cognito-endpoint",
        metavar="URL",
        help="base URL of the key sets of user pools (default: the issuer of their tokens, at AWS)",
    )
    group.add_argument(
        "--jwks",
        type=_pair,
        action="append",
        default=[],
        metavar="POOL=LOCATION",
        help="file or URL of the key set of a user pool (by id) or an OpenID Connect issuer; may be repeated",
    )
    group.add_argument(
        "--aws-endpoint",
        metavar="URL",
        help="emulator of AWS for data sources (default: none; DynamoDB and EventBridge data sources then fail)",
    )
    group.add_argument(
        "--create-tables",
        action="store_true",
        help="create the templates' DynamoDB tables at --aws-endpoint if they do not exist",
    )
    group.add_argument(
        "--lambda-endpoint",
        metavar="URL",
        help="Lambda API for functions that are not in the templates (default: --aws-endpoint)",
    )


def _observability(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--log-level",
        default="INFO",
        choices=["DEBUG", "INFO", "WARNING", "ERROR"],
        help="lowest level that is logged (default: %(default)s); DEBUG includes publishes without a handler",
    )
    group.add_argument(
        "--log-format",
        default=LogFormat.TEXT,
        choices=list(LogFormat),
        help="text for people, or json with one object per line (default: %(default)s)",
    )
    group.add_argument(
        "--show-payloads",
        action="store_true",
        help="show the payloads of publishes on the status page, not only their size",
    )


def _limits(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--keep-alive-seconds",
        type=float,
        default=limits.KEEP_ALIVE_SECONDS,
        metavar="S",
        help="interval of ka frames (default: %(default)g)",
    )
    group.add_argument(
        "--lifetime-seconds",
        type=float,
        default=limits.CONNECTION_LIFETIME_SECONDS,
        metavar="S",
        help="longest duration of a connection (default: %(default)g)",
    )
    group.add_argument(
        "--max-unsent-bytes",
        type=int,
        default=MAX_UNSENT_BYTES,
        metavar="N",
        help="unsent bytes beyond which a connection is aborted (default: %(default)s)",
    )
    group.add_argument(
        "--publishes-per-second",
        type=int,
        default=limits.PUBLISHES_PER_SECOND_PER_CONNECTION,
        metavar="N",
        help="publishes per connection and second (default: %(default)s)",
    )
    group.add_argument(
        "--events-per-second",
        type=_rate,
        default=limits.EVENTS_PER_SECOND_PER_API,
        metavar="N",
        help="inbound events per API and second; 0 is unlimited (default: %(default)s)",
    )
    group.add_argument(
        "--connections-per-second",
        type=_rate,
        default=limits.CONNECTIONS_PER_SECOND_PER_API,
        metavar="N",
        help="new connections per API and second; 0 is unlimited (default: %(default)s)",
    )


def _rate(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def _template(text: str) -> tuple[str | None, Path]:
    stack, equals, file = text.partition("=")
    return (stack, Path(file)) if equals and not Path(text).exists() else (None, Path(text))


def _handler(text: str) -> tuple[str, Path]:
    name, file = _pair(text)
    if not Path(file).is_file():
        raise argparse.ArgumentTypeError(f"file {file} does not exist")
    return name, Path(file)


def _fault(text: str) -> FaultRule:
    try:
        return fault_flags.parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
