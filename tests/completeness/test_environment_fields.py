"""Every field of an environment is read by a stack, reaches the function that needs it, and is tested."""

from __future__ import annotations

import re
from typing import Any

from contract.tables import TABLES
from handlers import settings
from stacks.config.fields import EnvironmentFile
from stacks.config.schema import describe
from tests.completeness.source import ROOT, missing, names, text_of

FIELDS = [name for name, allowed, _, _ in describe(EnvironmentFile) if not allowed.endswith("section")]
"""Dotted names."""
_TABLES = {table.setting for table in TABLES}
_STACKS = ("stacks/*.py", "stacks/constructs/*.py", "stacks/policy/*.py", "stacks/monitoring/*.py")
SETTINGS: list[Any] = [
    each for name, each in vars(settings).items() if name.endswith("Settings") and hasattr(each, "function")
]
"""The settings class of every function."""


def test_stacks_read_every_field() -> None:
    absent = [field for field in FIELDS if not names(field.rpartition(".")[2], *_STACKS)]
    assert not absent, missing("no stack reads the field", absent, "read it in the stack of the resource")


def test_tests_of_the_settings_name_every_field() -> None:
    absent = [field for field in FIELDS if field.rpartition(".")[2] not in text_of("tests/stacks/test_config.py")]
    assert not absent, missing("tests/stacks/test_config.py tests no wrong value of", absent, "add one to its list")


def test_every_variable_that_a_stack_sets_is_a_setting_of_a_function() -> None:
    known = {variable for each in SETTINGS for variable in each.variables()}
    given = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)": ', text_of("stacks/constructs/*.py", "stacks/routes.py")))
    absent = sorted(given - known)
    assert not absent, missing("handlers/settings.py has no field for the variable", absent, "add it to the function")


def test_a_stack_sets_every_variable_of_a_function() -> None:
    required = {variable for each in SETTINGS for variable in each.variables()} - _TABLES - {"ENVIRONMENT"}
    absent = sorted(each for each in required if f'"{each}"' not in text_of(*_STACKS))
    assert not absent, missing("no stack sets the variable", absent, "set it where the function is created")


def test_functions_read_every_setting() -> None:
    for each in SETTINGS:
        path = f"handlers/entry/{each.function}.py"
        sources = [path, "handlers/entry/calls_wiring.py"] if "calls_wiring" in text_of(path) else [path]
        absent = [field for field in each.__struct_fields__ if not names(f"settings.{field}", *sources)]
        absent = [field for field in absent if field != "environment"]
        assert not absent, missing(f"{path} does not read", [f"settings.{field}" for field in absent], "pass it on")


def test_harness_sets_every_variable() -> None:
    path = "tests/harness/emulator.py"
    required = {variable for each in SETTINGS for variable in each.variables()} - _TABLES
    absent = sorted(each for each in required if f'"{each}"' not in text_of(path))
    assert not absent, missing(f"{path}: AwsResources.variables lacks", absent, "add a value for tests")


def test_benchmark_sets_every_variable_of_the_functions_that_it_runs() -> None:
    path = "bench/functions/send.py"
    required = {*settings.MessagesSettings.variables(), *settings.CallsSettings.variables()} - _TABLES
    absent = sorted(each for each in required if f'"{each}"' not in text_of(path))
    assert not absent, missing(f"{path}: function_environment lacks", absent, "add a value for the benchmark")


def test_every_environment_has_a_file_that_names_its_purpose() -> None:
    for path in sorted((ROOT / "environments").glob("*.toml")):
        assert path.read_text(encoding="utf-8").startswith("# "), f"{path.name} must begin with a comment: its purpose"
