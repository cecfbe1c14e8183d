"""Every command that the runbook and the remedies name exists, and every name in the operator pages is deployed."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
import yaml
from botocore import xform_name

from ops.__main__ import COMMANDS, main
from ops.doctor.catalogue import CHECKS
from ops.doctor.report import remedy_of

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("docs/how-to/answer-an-alarm.md", "docs/how-to/find-a-fault.md")
COMMAND = re.compile(r"`((?:CONFIRM=\S+ )?(?:make|aws|npx cdk|python -m) [^`]+)`")
CODE_BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
CLI_OPTIONS = frozenset(
    {"region", "profile", "output", "query", "cli-binary-format", "no-cli-pager", "page-size", "max-items"}
)
"""Options of every command of the AWS CLI (AWS CLI: global options)."""
CLI_ONLY = {("logs", "tail"): frozenset({"since", "follow", "format", "filter-pattern"})}
"""Commands that the AWS CLI adds to the operations of a service (AWS CLI: logs tail)."""
ENVIRONMENTS = "local|dev|staging|prod|<environment>|\\{environment\\}"
NAME = re.compile(rf"PantherKolab-(\w+)-(?:{ENVIRONMENTS})")
TEMPLATES = ("Data", "Identity", "Events", "Routes", "Operations")


def commands_of(text: str) -> Iterator[str]:
    """Yield the commands of a text; a command in backquotes may be broken into lines."""
    for found in COMMAND.findall(CODE_BLOCK.sub("", text)):
        yield " ".join(found.split())
    for block in CODE_BLOCK.findall(text):
        yield from (
            line for line in block.splitlines() if re.match(r"(?:CONFIRM=\S+ )?(?:make|aws|npx|python -m) ", line)
        )


def named() -> dict[str, str]:
    """Return every command with the place that names it."""
    found = {command: f"{check.id}" for check in CHECKS for command in commands_of(remedy_of(check, "prod"))}
    for page in PAGES:
        found |= dict.fromkeys(commands_of((ROOT / page).read_text(encoding="utf-8")), page)
    return found


NAMED = named()


def problem(command: str) -> str | None:
    """Return what is wrong with a command; None if it exists with its options."""
    words = shlex.split(re.sub(r"^CONFIRM=\S+ ", "", command).replace("<", "").replace(">", ""))
    if words[0] == "make":
        return make_problem(words[1:])
    if words[0] == "aws":
        return aws_problem(words[1], words[2], {word[2:] for word in words[3:] if word.startswith("--")})
    if words[:2] == ["npx", "cdk"]:
        return cdk_problem(words[2], {word[2:] for word in words[3:] if word.startswith("--")})
    options = [word for word in words[3:] if word.startswith("--")]
    return command_problem(words[3], options) if words[2] == "ops" else module_problem(words[2], options)


def command_problem(command: str, options: list[str]) -> str | None:
    """Return what is wrong with `python -m ops COMMAND`: its help shows what it takes."""
    if command not in COMMANDS:
        return f"python -m ops has no command {command}"
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        main([command, "--help"])
    unknown = [option for option in options if option not in shown.getvalue()]
    return f"python -m ops {command} has no option {', '.join(unknown)}" if unknown else None


def make_problem(words: list[str]) -> str | None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(rf"^{re.escape(words[0])}:.*\n((?:\t.*\n)*)", makefile, re.MULTILINE)
    if recipe is None:
        return f"the Makefile has no target {words[0]}"
    variables = {word.partition("=")[0] for word in words[1:] if "=" in word}
    unused = [name for name in variables if f"$({name}" not in recipe[1] and f"{name}," not in recipe[1]]
    return f"make {words[0]} does not use {', '.join(unused)}" if unused else None


@functools.cache
def operations(service: str) -> dict[str, frozenset[str]]:
    """Return the AWS CLI's sub-commands of a service with their options, from botocore's service model."""
    model = botocore.session.get_session().get_service_model(service)
    found = {}
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        options = set()
        for member, kind in (shape.members if shape else {}).items():
            option = xform_name(member, "-")
            options |= {option, f"no-{option}"} if kind.type_name == "boolean" else {option}
        found[xform_name(name, "-")] = frozenset(options)
    return found


def aws_problem(service: str, operation: str, options: set[str]) -> str | None:
    if (service, operation) in CLI_ONLY:
        unknown = options - CLI_ONLY[service, operation] - CLI_OPTIONS
    elif service not in botocore.session.get_session().get_available_services():
        return f"AWS has no service {service}"
    elif operation not in operations(service):
        return f"aws {service} has no command {operation}"
    else:
        unknown = options - operations(service)[operation] - CLI_OPTIONS
    return f"aws {service} {operation} has no option {', '.join(sorted(unknown))}" if unknown else None


@functools.cache
def cdk_help(command: str) -> str:
    """Return the help text of a command of the CDK CLI."""
    cli = ROOT / "node_modules" / ".bin" / "cdk"
    run = subprocess.run([str(cli), command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else ""


def cdk_problem(command: str, options: set[str]) -> str | None:
    text = cdk_help(command)
    if f"cdk {command}" not in text:
        return f"the CDK CLI has no command {command}"
    unknown = [option for option in options if f"--{option}" not in text]
    return f"cdk {command} has no option {', '.join(unknown)}" if unknown else None


def module_problem(module: str, options: list[str]) -> str | None:
    path = ROOT / module.replace(".", "/")
    files = [file for file in (path.with_suffix(".py"), path / "__main__.py") if file.is_file()]
    if not files:
        return f"there is no module {module}"
    source = files[0].read_text(encoding="utf-8")
    unknown = [option for option in options if f'"{option}"' not in source]
    return f"python -m {module} has no option {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("command", NAMED)
def test_named_command_exists_with_its_options(command: str) -> None:
    assert problem(command) is None, NAMED[command]


@pytest.mark.parametrize(
    "command",
    [
        "make heal ENV=prod",
        "make doctor COLOUR=1",
        "aws sqs empty-queue",
        "aws sqs purge-queue --queue-address x",
        "aws squs purge-queue",
        "npx cdk heal",
        "npx cdk deploy --revert-all",
        "python -m ops.healer",
        "python -m ops.doctor --heal",
    ],
)
def test_unknown_command_or_option_is_found(command: str) -> None:
    assert problem(command) is not None


def test_both_kinds_of_places_name_commands() -> None:
    assert {"docs/how-to/answer-an-alarm.md", "docs/how-to/find-a-fault.md", "D501"} <= set(NAMED.values())
    assert len(NAMED) > 30


def deployed_names() -> set[str]:
    """Return the names of stacks and named resources in the templates of prod, without product and environment."""
    found = set(TEMPLATES)
    for stack in TEMPLATES:
        text = (ROOT / "tests" / "snapshots" / "prod" / f"{stack}.yaml").read_text(encoding="utf-8")
        found |= set(re.findall(r"PantherKolab-(\w+)-prod", text))
    return found


DEPLOYED = deployed_names()


@pytest.mark.parametrize("page", PAGES)
def test_every_physical_name_in_an_operator_page_is_in_the_templates(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(NAME.findall(text)) <= DEPLOYED


def test_every_physical_name_in_a_remedy_is_in_the_templates() -> None:
    names = {name for check in CHECKS for name in NAME.findall(remedy_of(check, "prod"))}
    assert names
    assert names <= DEPLOYED


QUEUES_AND_ALARMS = re.compile(r"`((?:[A-Z][a-z]+){2,}…?)`")
FUNCTIONS = re.compile(r"(?:function|log of|role of|errors of|throttles of) `([a-z_]+)`")
OTHER_NAMES = frozenset(
    {
        *{"DDBStreamBatchInfo", "ErrorMessage", "LimitExceeded", "ServiceUnavailable", "SubscribeClientError"},
        *{"ByDue"},
    }
)
"""Names of AWS, and of an index of the templates, which no resource has as its own name."""


def test_every_alarm_function_and_queue_of_the_runbook_is_in_the_templates() -> None:
    text = (ROOT / "docs" / "how-to" / "answer-an-alarm.md").read_text(encoding="utf-8")
    outputs = {
        name
        for stack in TEMPLATES
        for name in yaml.safe_load((ROOT / f"tests/snapshots/prod/{stack}.yaml").read_text()).get("Outputs", {})
    }
    named = set(QUEUES_AND_ALARMS.findall(text)) - OTHER_NAMES
    missing = [
        name
        for name in named
        if name not in DEPLOYED | outputs
        and not (name.endswith("…") and any(each.startswith(name[:-1]) for each in DEPLOYED))
    ]
    assert missing == []
    functions = set(FUNCTIONS.findall(text))
    assert len(functions) >= 6
    assert functions <= DEPLOYED
