"""The command line of `python -m appsync_events_local`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appsync_events_local import limits
from appsync_events_local.cli import fault_flags
from appsync_events_local.observability.log import LogFormat
from appsync_events_local.publish.broker import MAX_UNSENT_BYTES
from appsync_events_local.publish.faults import FaultRule
from appsync_events_local.template import settings

DEFAULT_PORT: Final = 4570

EPILOG: Final = """\
examples:
  python -m appsync_events_local --assembly cdk.out
      every Event API of a CDK app, after `cdk synth`; prints where each one is, its keys, and how to configure a client
  python -m appsync_events_local --template api.yaml --parameter Stage=dev
      the Event APIs of one CloudFormation template
  python -m appsync_events_local --template api.yaml --handler chat=src/chat.js --watch
      the code of namespace chat from its source file, served anew whenever it is saved
  python -m appsync_events_local --assembly cdk.out --fault drop:/chat/*:10% --fault delay:250ms
      loses every tenth event of the chat channels and delays the others
  python -m appsync_events_local --assembly cdk.out --aws-endpoint http://127.0.0.1:4566 --create-tables
      with data sources (DynamoDB, …) in an emulator of AWS that already runs, and the templates' tables in it

other commands:
  python -m appsync_events_local evaluate     run one handler on one context, as AWS's EvaluateCode does; see its --help
  python -m appsync_events_local assumptions  what this service does where AWS documents nothing, and why

docs/local-events.md says what is imitated and what is not."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options that are given; ends the process with a message if they make no sense."""
    made = parser()
    options = made.parse_args(arguments)
    if not (options.assembly or options.template) and options.state is None:
        made.error(
            "give --assembly or --template; without them, --state and --control-token-file (APIs then come "
            "through the control API)"
        )
    if (options.tls_certificate is None) != (options.tls_key is None):
        made.error("--tls-certificate and --tls-key go together")
    if options.create_tables and options.aws_endpoint is None:
        made.error("--create-tables needs --aws-endpoint: where the tables are made")
    if options.watch and not (options.assembly or options.template):
        made.error("--watch needs --assembly or --template: there is nothing to watch otherwise")
    return options


def parser() -> argparse.ArgumentParser:
    """Every option, with its help."""
    made = argparse.ArgumentParser(
        prog="python -m appsync_events_local",
        description="Serve AppSync Event APIs, with their handlers, on this machine. No AWS account is needed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _templates(made.add_argument_group("what is served"))
    _address(made.add_argument_group("where"))
    _surroundings(made.add_argument_group("what is around it"))
    _telling(made.add_argument_group("what it tells"))
    made.add_argument_group("faults, to see a client cope").add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="KIND[:CHANNEL][:AMOUNT]", help=fault_flags.HELP
    )
    _scaling(made.add_argument_group("limits, for tests that cannot wait a day"))
    return made


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
        help="a CloudFormation template, JSON or YAML, and its stack's name (default: the file's); may be repeated",
    )
    group.add_argument(
        "--handler",
        type=_handler,
        action="append",
        default=[],
        metavar="NAMESPACE=FILE",
        help="take a namespace's code from this file instead (api/namespace=FILE if several APIs have it)",
    )
    group.add_argument(
        "--watch",
        action="store_true",
        help="serve changed templates and handlers as soon as they are saved; sockets and subscriptions stay",
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
        help="name of a resource that exists already, e.g. a table; Stack.LogicalId where it matters",
    )
    group.add_argument("--region", metavar="REGION", help="of the APIs (default: the assembly's, or us-east-1)")
    group.add_argument("--account", default=settings.DEFAULT_ACCOUNT, metavar="ID", help="(default: %(default)s)")


def _address(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1 (default: %(default)s); 0 takes a free one"
    )
    group.add_argument("--tls", action="store_true", help="https and wss, with a certificate that is made and named")
    group.add_argument("--tls-certificate", type=Path, metavar="FILE", help="PEM; use this certificate instead")
    group.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM; the key of --tls-certificate")
    group.add_argument(
        "--ipv6", action="store_true", help="fail if ::1 cannot be listened on (it is tried in any case)"
    )


def _surroundings(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep token and registrations there (default: a temporary folder; templates are read anew)",
    )
    group.add_argument(
        "--control-token-file",
        type=Path,
        metavar="FILE",
        help="holds the token of the control API (default: one is made)",
    )
    group.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="JSON: whose signatures are good (default: access key `local`, secret `local`)",
    )
    group.add_argument(
        "--permissions",
        metavar="URL",
        help="where to ask what IAM principals may do (default: nobody is restricted)",
    )
    group.add_argument(
        "--cognito-endpoint",
        metavar="URL",
        help="where user pools publish their keys (default: AWS, as their tokens say)",
    )
    group.add_argument(
        "--jwks",
        type=_pair,
        action="append",
        default=[],
        metavar="POOL=PLACE",
        help="file or URL of the key set of a user pool (by id) or an OpenID Connect issuer; may be repeated",
    )
    group.add_argument(
        "--aws-endpoint",
        metavar="URL",
        help="an emulator of AWS, for data sources (default: none; they fail by name when called)",
    )
    group.add_argument(
        "--create-tables",
        action="store_true",
        help="make the templates' DynamoDB tables at --aws-endpoint if they are not there",
    )
    group.add_argument(
        "--lambda-endpoint",
        metavar="URL",
        help="a Lambda API, for functions that are not in the templates (default: that of --aws-endpoint)",
    )


def _telling(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--log-level",
        default="INFO",
        choices=["DEBUG", "INFO", "WARNING", "ERROR"],
        help="(default: %(default)s); DEBUG also tells of publishes that no handler decides",
    )
    group.add_argument(
        "--log-format",
        default=LogFormat.TEXT,
        choices=list(LogFormat),
        help="text for people, json for programs: one object a line (default: %(default)s)",
    )
    group.add_argument(
        "--show-payloads", action="store_true", help="let the status page show what is published, not only its size"
    )


def _scaling(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--keep-alive-seconds",
        type=float,
        default=limits.KEEP_ALIVE_SECONDS,
        metavar="S",
        help="between two ka frames (default: %(default)g)",
    )
    group.add_argument(
        "--lifetime-seconds",
        type=float,
        default=limits.CONNECTION_LIFETIME_SECONDS,
        metavar="S",
        help="of a connection (default: %(default)g)",
    )
    group.add_argument(
        "--max-unsent-bytes",
        type=int,
        default=MAX_UNSENT_BYTES,
        metavar="N",
        help="above which a connection that does not read is cut (default: %(default)s)",
    )
    group.add_argument(
        "--publishes-per-second",
        type=int,
        default=limits.PUBLISHES_PER_SECOND_PER_CONNECTION,
        metavar="N",
        help="of one connection (default: %(default)s)",
    )


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
        raise argparse.ArgumentTypeError(f"there is no file {file}")
    return name, Path(file)


def _fault(text: str) -> FaultRule:
    try:
        return fault_flags.parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
