"""The settings of one environment: `environments/{name}.toml`, typed, frozen and checked as a whole.

`python -m stacks.config.load check [ENV]` checks one file or all; `python -m stacks.config.load describe` writes the
reference of all fields, docs/environments.md.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import Final

from stacks.config import schema
from stacks.config.fields import CHIME_REGIONS, DISPOSABLE, LOCAL, MEDIA_REGIONS, Domain, Environment, File

FOLDER: Final = Path(__file__).resolve().parents[2] / "environments"
REFERENCE: Final = FOLDER.parent / "docs" / "environments.md"

_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,15}")


class SettingsProblem(Exception):  # noqa: N818 - it is shown to people, as a list of problems
    """An environment is unknown or its file is wrong; the message names every problem of the file."""


def names(folder: Path = FOLDER) -> list[str]:
    """Return the environments that have a file, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str | None, folder: Path = FOLDER) -> Environment:
    """Read and check the settings of an environment.

    Args:
        name: the environment, None where nobody named one.
        folder: where the files are.

    Raises:
        SettingsProblem: no such environment, or its file is wrong; the message lists every problem.
    """
    known = ", ".join(names(folder))
    if name is None:
        raise SettingsProblem(f"No environment is named. Add -c env=NAME; NAME is one of: {known}.")
    path = folder / f"{name}.toml"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise SettingsProblem(f"There is no environment {name!r} (environments/{name}.toml). Known: {known}.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsProblem(f"environments/{name}.toml is not TOML: {error}") from error
    problems: list[str] = []
    parsed = schema.read(File, table, problems)
    if parsed is not None:
        problems = _contradictions(name, parsed)
    if parsed is None or problems:
        raise SettingsProblem("\n".join(f"environments/{name}.toml: {problem}" for problem in problems))
    return Environment(name=name, **vars(parsed))


def _contradictions(name: str, file: File) -> list[str]:
    return [
        *_identity_problems(file),
        *_scope_problems(name, file),
        *_data_problems(name, file),
        *_call_problems(file),
        *_domains(file),
    ]


def _identity_problems(file: File) -> list[str]:
    given = [("pool_id", file.identity.pool_id), ("client_ids", list(file.identity.client_ids))]
    if file.identity.source == "create":
        return [
            f'identity.{field} = {schema.quoted(value)}: only with identity.source = "import"'
            for field, value in given
            if value
        ]
    problems = [
        f'identity.{field} is missing: required with identity.source = "import"' for field, value in given if not value
    ]
    if file.identity.email_from is not None:
        problems.append(f'identity.email_from = "{file.identity.email_from}": only with identity.source = "create"')
    return problems


def _scope_problems(name: str, file: File) -> list[str]:
    problems = []
    if name != LOCAL:
        if file.events.endpoint_scheme == "http":
            problems.append('events.endpoint_scheme = "http": only environment local may leave out TLS; use "https"')
        if file.functions.platform == "host":
            problems.append('functions.platform = "host": Lambda runs arm64; only environment local may use "host"')
    elif file.identity.source == "import":
        problems.append('identity.source = "import": the local cloud has no existing pool; use "create"')
    if name not in DISPOSABLE:
        problems += [
            f'web.origins = "{origin}": plain http is for dev and local only; use https'
            for origin in file.web.origins
            if origin.startswith("http://")
        ]
    if (file.aws.account is None) != (file.aws.region is None):
        problems.append("aws.account, aws.region: give both, or neither to follow the credentials")
    if file.operations.alarm_recipients and not file.operations.alarms:
        problems.append(
            "operations.alarm_recipients: contradicts operations.alarms = false, there is nothing to receive"
        )
    return problems


def _data_problems(name: str, file: File) -> list[str]:
    problems = []
    if file.data.removal == "destroy" and file.data.deletion_protection:
        problems.append('data.deletion_protection = true: contradicts data.removal = "destroy"; change one of them')
    if name not in DISPOSABLE:
        wanted = (
            ("removal", file.data.removal == "retain", '"retain"'),
            ("deletion_protection", file.data.deletion_protection, "true"),
            ("point_in_time_recovery", file.data.point_in_time_recovery, "true"),
        )
        problems += [
            f"data.{field} = {schema.quoted(getattr(file.data, field))}: must be {value} in every environment but "
            f"{' and '.join(sorted(DISPOSABLE))}"
            for field, right, value in wanted
            if not right
        ]
    return problems


def _call_problems(file: File) -> list[str]:
    region = file.aws.region
    if region is None:
        return []
    if region not in CHIME_REGIONS:
        served = ", ".join(CHIME_REGIONS)
        return [
            f'aws.region = "{region}": the Chime SDK has no API there, calls could not be made; use one of {served}'
        ]
    if file.calls.media_region is None and region not in MEDIA_REGIONS:
        return [f"calls.media_region is missing: the Chime SDK has no media servers in {region}"]
    return []


def _domains(file: File) -> list[str]:
    problems = []
    if file.events.domain is not None:
        if file.events.endpoint_scheme == "http":
            problems.append('events.domain: contradicts events.endpoint_scheme = "http"')
        if _certificate_region(file.events.domain) != "us-east-1":
            problems.append(
                f'events.domain.certificate_arn = "{file.events.domain.certificate_arn}": must be in us-east-1, '
                "where AppSync looks for it"
            )
    if file.api.domain is not None and file.aws.region not in (None, _certificate_region(file.api.domain)):
        problems.append(
            f'api.domain.certificate_arn = "{file.api.domain.certificate_arn}": must be in {file.aws.region}, '
            "the environment's region"
        )
    return problems


def _certificate_region(domain: Domain) -> str:
    return domain.certificate_arn.split(":")[3]


def reference() -> str:
    """Return the reference of all fields as Markdown."""
    rows = "\n".join(
        f"| `{name}` | {allowed} | {default} | {doc} |" for name, allowed, default, doc in schema.describe(File)
    )
    return (
        "# Environments\n\n"
        "Generated from `stacks/config/fields.py` by `python -m stacks.config.load describe`.\n\n"
        "One file per environment, `environments/{name}.toml`, holds all that differs between environments.\n"
        "A wrong, missing, unknown or contradictory field stops the synthesis; the message lists every\n"
        f"problem. {' and '.join(sorted(DISPOSABLE))} may lose their data; every other environment must protect it.\n\n"
        f"| field | allowed | default | meaning |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 where a file is wrong."""
    parser = argparse.ArgumentParser(prog="python -m stacks.config.load", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="check one environment or all").add_argument("env", nargs="?")
    commands.add_parser("describe", help="write docs/environments.md")
    chosen = parser.parse_args(arguments)
    if chosen.command == "describe":
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(reference(), encoding="utf-8")
        return 0
    failed = False
    for name in [chosen.env] if chosen.env else names():
        try:
            load(name)
        except SettingsProblem as problem:
            print(problem, file=sys.stderr)
            failed = True
        else:
            print(f"environments/{name}.toml: good")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
