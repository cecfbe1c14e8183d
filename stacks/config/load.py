"""Loads the settings of an environment from `environments/{name}.toml`, typed, frozen and validated.

`python -m stacks.config.load check [ENV]` validates one file or all. `python -m stacks.config.load describe` writes the
reference of all fields, docs/reference/environments.md.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from stacks.config import schema
from stacks.config.contradictions import find_contradictions, find_gaps
from stacks.config.fields import ACCOUNT, DISPOSABLE, REGION, Aws, Environment, EnvironmentFile, GitHub
from stacks.config.fields import REFERENCE as REFERENCE_PREFIX

DIRECTORY: Final = Path(__file__).resolve().parents[2] / "environments"
REFERENCE: Final = DIRECTORY.parent / "docs" / "reference" / "environments.md"

_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,15}")


class SettingsError(Exception):
    """The environment is unknown or its file is invalid; the message lists every error of the file."""


def environment_names(directory: Path = DIRECTORY) -> list[str]:
    """Return the names of the environments that have a file, sorted."""
    return sorted(path.stem for path in directory.glob("*.toml"))


def load(name: str | None, directory: Path = DIRECTORY, variables: Mapping[str, str] = os.environ) -> Environment:
    """Load and validate the settings of an environment.

    Args:
        name: the environment; None if none was given.
        directory: the directory of the files.
        variables: the environment variables that `env:` values refer to.

    Raises:
        SettingsError: there is no such environment, or its file is invalid; the message lists every error.
    """
    known = ", ".join(environment_names(directory))
    if name is None:
        raise SettingsError(f"No environment was given. Add -c env=NAME; NAME is one of: {known}.")
    path = directory / f"{name}.toml"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise SettingsError(f"There is no environment {name!r} (environments/{name}.toml). Known: {known}.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"environments/{name}.toml is not valid TOML: {error}") from error
    errors: list[str] = []
    parsed = schema.parse(EnvironmentFile, table, errors)
    if parsed is not None:
        parsed = replace(parsed, aws=_resolved(parsed.aws, variables, errors))
        errors += find_contradictions(name, parsed)
        if parsed.aws.pinned:
            errors += find_gaps(parsed)
    if parsed is None or errors:
        raise SettingsError("\n".join(f"environments/{name}.toml: {error}" for error in errors))
    return Environment(name=name, **vars(parsed))


def require_github(environment: Environment) -> GitHub:
    """Return the settings of deployments by GitHub Actions.

    Raises:
        SettingsError: the environment has none.
    """
    if environment.github is None:
        raise SettingsError(
            f"environments/{environment.name}.toml: github is missing: GitHub Actions needs a section [github] with "
            'repository = "OWNER/NAME"; docs/how-to/set-up-continuous-deployment.md'
        )
    return environment.github


def _resolved(aws: Aws, variables: Mapping[str, str], errors: list[str]) -> Aws:
    values: dict[str, str | None] = {}
    for field, pattern, allowed in (
        ("account", ACCOUNT, "twelve digits"),
        ("region", REGION, 'a region such as "us-east-1"'),
    ):
        values[field] = value = getattr(aws, field)
        variable = (value or "").removeprefix(REFERENCE_PREFIX)
        if variable == (value or "") or not variables.get(variable):
            continue
        values[field] = variables[variable]
        if not re.fullmatch(pattern, variables[variable]):
            errors.append(f'aws.{field}: the variable {variable} is "{variables[variable]}"; must be {allowed}')
    return Aws(**values)


def describe() -> str:
    """Return docs/reference/environments.md: the reference of all fields, as Markdown."""
    rows = "\n".join(
        f"| `{name}` | {allowed} | {default} | {doc} |"
        for name, allowed, default, doc in schema.describe(EnvironmentFile)
    )
    return (
        "# Environments\n\n"
        "Generated from `stacks/config/fields.py` by `make generate`.\n\n"
        "Each environment has one file, `environments/{name}.toml`, with every setting that differs between\n"
        "environments. An invalid, missing, unknown or contradictory field stops the synthesis; the message lists\n"
        f"every error of the file. The data of {' and '.join(sorted(DISPOSABLE))} may be lost; every other environment "
        "must protect its data.\n\n"
        f"| field | allowed | default | meaning |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 if a file is invalid."""
    parser = argparse.ArgumentParser(prog="python -m stacks.config.load", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="validate one environment, or all").add_argument("env", nargs="?")
    commands.add_parser("describe", help="write docs/reference/environments.md")
    chosen = parser.parse_args(arguments)
    if chosen.command == "describe":
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(describe(), encoding="utf-8")
        return 0
    failed = False
    for name in [chosen.env] if chosen.env else environment_names():
        try:
            load(name)
        except SettingsError as error:
            print(error, file=sys.stderr)
            failed = True
        else:
            print(f"environments/{name}.toml: valid")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
