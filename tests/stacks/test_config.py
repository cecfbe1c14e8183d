"""Settings: the error names every invalid, missing, unknown or contradictory field of a file at once."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from stacks.config import load as load_config
from stacks.config.fields import DISPOSABLE, Environment
from stacks.config.load import DIRECTORY, SettingsError, describe, environment_names, load, require_github

VALID = (DIRECTORY / "staging.toml").read_text(encoding="utf-8")
PINNED = {"STAGING_AWS_ACCOUNT": "111111111111", "STAGING_AWS_REGION": "us-east-1"}
CERTIFICATE = "arn:aws:acm:eu-west-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"


def _errors(tmp_path: Path, text: str, name: str = "staging", variables: Mapping[str, str] | None = None) -> list[str]:
    (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(name, tmp_path, variables or {})
    return str(caught.value).splitlines()


def _changed(**fields: str) -> str:
    """Return a valid file with replaced fields; `section__field` names a field, an empty value removes it."""
    text = VALID
    for path, value in fields.items():
        section, field = path.split("__")
        text = re.sub(rf"(?m)^{field} = .*\n", "", text)
        if value:
            text = text.replace(f"[{section}]\n", f"[{section}]\n{field} = {value}\n")
    return text


@pytest.mark.parametrize("name", environment_names())
def test_environments_of_the_repository_are_valid(name: str) -> None:
    environment = load(name, variables={})
    assert environment.name == name
    assert environment.protected == (name not in DISPOSABLE)
    assert not environment.aws.pinned


def test_only_dev_and_local_have_direct_messaging_and_disposable_data() -> None:
    found = {name: load(name) for name in environment_names()}
    assert list(found) == ["dev", "local", "prod", "staging"]
    assert {name: each.events.direct_messaging for name, each in found.items()} == {
        "dev": True,
        "local": True,
        "prod": False,
        "staging": False,
    }
    assert {name for name, each in found.items() if each.events.endpoint_scheme == "http"} == {"local"}
    assert {name for name, each in found.items() if each.data.removal == "destroy"} == {"dev", "local"}


def test_settings_are_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load("dev").name = "prod"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("identity__source", '"borrow"', 'one of "create", "import"'),
        ("identity__email_from", '"Jane Doe"', "an e-mail address"),
        ("web__origins", '["*"]', "without path or wildcard"),
        ("web__origins", '["https://a.example.edu/path"]', "without path or wildcard"),
        ("web__origins", '["http://a.example.edu"]', "without path or wildcard"),
        ("web__origins", "[]", "1 or more"),
        ("web__origins", '["https://a.example.edu", "https://a.example.edu"]', "different"),
        ("web__origins", '"https://a.example.edu"', "a list"),
        ("api__throttle_rate", "0", "an integer from 1 to 10000"),
        ("api__throttle_rate", "true", "an integer"),
        ("api__throttle_rate", "1.5", "an integer"),
        ("api__throttle_burst", '"many"', "an integer from 1 to 5000"),
        ("events__direct_messaging", "1", "true or false"),
        ("events__endpoint_scheme", '"ftp"', 'one of "https", "http"'),
        ("events__log_level", '"LOUD"', 'one of "NONE", "ERROR", "INFO", "ALL"'),
        ("delivery__fanout_limit", "501", "an integer from 1 to 500 (recipients)"),
        ("calls__ring_timeout_seconds", "5", "an integer from 10 to 300 (seconds)"),
        ("calls__media_region", '"mars-north-1"', 'one of "af-south-1", '),
        ("functions__memory_mb", "64", "an integer from 128 to 10240 (MB)"),
        ("functions__snap_start", '"yes"', "true or false"),
        ("functions__platform", '"x86"', 'one of "arm64", "host"'),
        ("data__removal", '"keep"', 'one of "retain", "destroy"'),
        ("data__deletion_protection", "0", "true or false"),
        ("data__message_retention_days", "7", "an integer from 30 to 36500 (days)"),
        ("data__call_retention_days", "true", "an integer from 30 to 36500 (days)"),
        ("operations__log_retention_days", "42", "one of 1, 3, 5, 7"),
        ("operations__alarm_recipients", '["on-call"]', "e-mail addresses"),
        ("operations__alarms", '"on"', "true or false"),
        ("operations__dashboards", "2", "true or false"),
        ("operations__monthly_budget_dollars", "0", "an integer from 1 to 1000000"),
        ("canary__enabled", '"yes"', "true or false"),
        ("canary__minutes", "61", "an integer from 0 to 60"),
    ],
)
def test_error_names_an_invalid_value_and_the_allowed_ones(
    tmp_path: Path, field: str, value: str, allowed: str
) -> None:
    (error,) = _errors(tmp_path, _changed(**{field: value}))
    assert error.startswith(f"environments/staging.toml: {field.replace('__', '.')} = ")
    assert allowed in error


def test_bridge_is_off_unless_it_is_true(tmp_path: Path) -> None:
    (error,) = _errors(tmp_path, VALID + '\n[cutover]\nbridge = "on"\n')
    assert error.startswith('environments/staging.toml: cutover.bridge = "on": must be true or false')


REQUIRED = [
    "identity.source",
    "web.origins",
    "api.throttle_rate",
    "api.throttle_burst",
    "events.direct_messaging",
    "delivery.fanout_limit",
    "data.removal",
    "data.deletion_protection",
    "data.point_in_time_recovery",
    "operations.log_retention_days",
]


@pytest.mark.parametrize("field", REQUIRED)
def test_error_names_a_missing_field_and_the_allowed_values(tmp_path: Path, field: str) -> None:
    (error,) = _errors(tmp_path, _changed(**{field.replace(".", "__"): ""}))
    assert error.startswith(f"environments/staging.toml: {field} is missing: must be ")


def test_error_names_a_missing_section(tmp_path: Path) -> None:
    text = VALID.replace("[delivery]\n", "").replace("fanout_limit = 50\n", "")
    assert _errors(tmp_path, text) == ["environments/staging.toml: delivery is missing: must be a section"]


def test_error_names_a_value_in_place_of_a_section(tmp_path: Path) -> None:
    text = "calls = 3\n" + VALID.replace("[calls]\n", "").replace("ring_timeout_seconds = 45\n", "")
    assert _errors(tmp_path, text) == ["environments/staging.toml: calls = 3: must be a section [calls]"]


def test_error_about_an_unknown_field_suggests_the_closest_one(tmp_path: Path) -> None:
    text = VALID.replace("throttle_rate = 100", "throttle_rate = 100\nthrotle_burst = 3")
    assert _errors(tmp_path, text) == [
        "environments/staging.toml: api.throtle_burst = 3: unknown field; did you mean throttle_burst?"
    ]


def test_error_about_an_unknown_section_lists_the_known_ones(tmp_path: Path) -> None:
    (error,) = _errors(tmp_path, VALID + "\n[zebra]\nstripes = 3\n")
    assert "zebra = " in error
    assert "known fields: aws, identity, web" in error


def test_all_errors_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    text = _changed(api__throttle_rate="0", data__removal='"keep"', delivery__fanout_limit="") + "\n[zebra]\n"
    assert len(_errors(tmp_path, text)) == 4


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        (
            "staging",
            {"identity__pool_id": '"eu-west-1_AbCdEf123"'},
            'identity.pool_id = "eu-west-1_AbCdEf123": allowed only with',
        ),
        ("staging", {"identity__client_ids": f'["{"a" * 26}"]'}, "identity.client_ids = "),
        (
            "staging",
            {"identity__source": '"import"', "identity__client_ids": f'["{"a" * 26}"]'},
            "identity.pool_id is missing",
        ),
        (
            "staging",
            {"identity__source": '"import"', "identity__pool_id": '"eu-west-1_Ab"'},
            "identity.client_ids is missing",
        ),
        (
            "staging",
            {
                "identity__source": '"import"',
                "identity__pool_id": '"eu-west-1_Ab"',
                "identity__client_ids": f'["{"a" * 26}"]',
                "identity__email_from": '"a@example.edu"',
            },
            'identity.email_from = "a@example.edu": allowed only with identity.source = "create"',
        ),
        (
            "staging",
            {"events__endpoint_scheme": '"http"'},
            'events.endpoint_scheme = "http": allowed only in environment local',
        ),
        (
            "staging",
            {"functions__platform": '"host"'},
            'functions.platform = "host": allowed only in environment local',
        ),
        ("staging", {"web__origins": '["http://localhost:3000"]'}, "plain http is allowed only in dev and local"),
        (
            "staging",
            {"data__removal": '"destroy"', "data__deletion_protection": "false"},
            'data.removal = "destroy": must be "retain"',
        ),
        ("staging", {"data__deletion_protection": "false"}, "data.deletion_protection = false: must be true"),
        ("staging", {"data__point_in_time_recovery": "false"}, "data.point_in_time_recovery = false: must be true"),
        (
            "dev",
            {"data__removal": '"destroy"'},
            'data.deletion_protection = true: contradicts data.removal = "destroy"',
        ),
        (
            "local",
            {
                "identity__source": '"import"',
                "identity__pool_id": '"eu-west-1_Ab"',
                "identity__client_ids": f'["{"a" * 26}"]',
            },
            "the local cloud has no existing pool",
        ),
        (
            "dev",
            {
                "operations__alarms": "false",
                "operations__alarm_recipients": '["a@example.edu"]',
                "operations__monthly_budget_dollars": "",
            },
            "contradicts operations.alarms = false",
        ),
        (
            "staging",
            {"operations__alarms": "false", "operations__alarm_recipients": ""},
            "operations.monthly_budget_dollars: contradicts operations.alarms = false",
        ),
        (
            "staging",
            {
                "canary__enabled": "true",
                "identity__source": '"import"\npool_id = "eu-west-1_AbCdEf123"\nclient_ids = ["a2345678901234567890"]',
            },
            'canary.enabled = true: allowed only with identity.source = "create"',
        ),
    ],
)
def test_error_names_a_contradiction(tmp_path: Path, name: str, changes: dict[str, str], expected: str) -> None:
    errors = _errors(tmp_path, _changed(**changes), name)
    assert any(expected in error for error in errors), errors
    assert all(error.startswith(f"environments/{name}.toml: ") for error in errors)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ('[aws]\naccount = "000000000000"\n', "aws.account, aws.region: set both, or neither"),
        (f'[events.domain]\nname = "e.example.edu"\ncertificate_arn = "{CERTIFICATE}"\n', "must be in us-east-1"),
        (
            f'[aws]\naccount = "000000000000"\nregion = "us-east-1"\n'
            f'[api.domain]\nname = "a.example.edu"\ncertificate_arn = "{CERTIFICATE}"\n',
            "must be in us-east-1, the region of the environment",
        ),
        ('[aws]\naccount = "000000000000"\nregion = "eu-west-3"\n', "the Chime SDK has no API in this region"),
        (
            '[aws]\naccount = "000000000000"\nregion = "il-central-1"\n',
            "calls.media_region is missing: required because the Chime SDK",
        ),
        ('[api.domain]\nname = "A.example.edu"\ncertificate_arn = "arn:aws:acm"\n', "the ARN of an ACM certificate"),
    ],
)
def test_error_names_accounts_regions_and_certificates_that_contradict(
    tmp_path: Path, section: str, expected: str
) -> None:
    text = re.sub(r"(?m)^(account|region) = .*\n", "", VALID)
    text = text.replace("[aws]\n", section) if "[aws]" in section else f"{VALID}\n{section}"
    assert any(expected in error for error in _errors(tmp_path, text))


GITHUB = '\n[github]\nrepository = "example-edu/chat"\n'


@pytest.mark.parametrize(
    ("name", "section", "expected"),
    [
        ("staging", '[github]\nrepository = "chat"\n', 'github.repository = "chat": must be OWNER/NAME'),
        ("staging", '[github]\nrepository = "example-edu/*"\n', "must be OWNER/NAME"),
        ("staging", '[github]\nrepository = "a/b/c"\n', "must be OWNER/NAME"),
        ("staging", "[github]\n", "github.repository is missing: must be OWNER/NAME"),
        ("staging", GITHUB + 'owner_id = "example"\n', "must be an id in digits"),
        ("staging", GITHUB + "repository_id = 456789\n", 'must be an id in digits such as "456789"'),
        ("staging", GITHUB + 'owner_id = "1"\n', "github.owner_id, github.repository_id: set both or neither"),
        ("staging", GITHUB + 'repository_id = "1"\n', "gh api repos/example-edu/chat"),
        ("staging", GITHUB + 'provider = "use"\n', 'github.provider = "use": must be one of "create", "import"'),
        ("staging", GITHUB + 'verify = "yes"\n', 'github.verify = "yes": must be true or false'),
        ("local", GITHUB, "github: the local cloud is not deployed by GitHub Actions"),
    ],
)
def test_error_names_an_invalid_setting_of_github(tmp_path: Path, name: str, section: str, expected: str) -> None:
    text = (DIRECTORY / f"{name}.toml").read_text(encoding="utf-8") + section
    assert any(expected in error for error in _errors(tmp_path, text, name))


def test_deployment_by_github_requires_its_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"environments/dev\.toml: github is missing: .* repository = "):
        require_github(load("dev"))
    (tmp_path / "staging.toml").write_text(VALID + GITHUB, encoding="utf-8")
    assert require_github(load("staging", tmp_path, {})).repository == "example-edu/chat"


def test_protected_data_requires_an_account_and_a_region(tmp_path: Path) -> None:
    """A copy of prod under any name is protected too; without an account it would go where the credentials point."""
    (error,) = _errors(tmp_path, _changed(aws__account="", aws__region=""), "dev")
    assert 'aws.account, aws.region are missing: required with data.removal = "retain"' in error


def test_account_and_region_are_read_from_variables(tmp_path: Path) -> None:
    complete = _changed(identity__email_from='"a@example.edu"', operations__alarm_recipients='["a@example.edu"]')
    (tmp_path / "staging.toml").write_text(complete, encoding="utf-8")
    pinned = load("staging", tmp_path, PINNED).aws
    assert (pinned.account, pinned.region, pinned.pinned) == ("111111111111", "us-east-1", True)
    unpinned = load("staging", tmp_path, {}).aws
    assert unpinned.unset_variables == ("STAGING_AWS_ACCOUNT", "STAGING_AWS_REGION")
    assert not unpinned.pinned


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"STAGING_AWS_ACCOUNT": "42", "STAGING_AWS_REGION": "us-east-1"},
            'STAGING_AWS_ACCOUNT is "42"; must be twelve',
        ),
        ({**PINNED, "STAGING_AWS_REGION": "virginia"}, 'STAGING_AWS_REGION is "virginia"; must be a region'),
        ({"STAGING_AWS_REGION": "us-east-1"}, "STAGING_AWS_ACCOUNT is not set, but the other one is"),
        ({**PINNED, "STAGING_AWS_REGION": "eu-west-3"}, "the Chime SDK has no API in this region"),
    ],
)
def test_error_names_a_variable_with_an_unusable_account_or_region(
    tmp_path: Path, variables: dict[str, str], expected: str
) -> None:
    assert any(expected in error for error in _errors(tmp_path, VALID, variables=variables))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"identity__email_from": '"a@example.edu"'}, "operations.alarm_recipients is empty"),
        ({"operations__alarm_recipients": '["a@example.edu"]'}, "identity.email_from is missing"),
    ],
)
def test_protected_environment_with_a_known_account_must_be_complete(
    tmp_path: Path, changes: dict[str, str], expected: str
) -> None:
    """Loading fails, so that plain `cdk deploy` fails like `make deploy`."""
    (error,) = _errors(tmp_path, _changed(**changes), variables=PINNED)
    assert expected in error


def test_domain_with_plain_http_is_a_contradiction(tmp_path: Path) -> None:
    text = (DIRECTORY / "local.toml").read_text(encoding="utf-8")
    domain = f'\n[events.domain]\nname = "e.example.edu"\ncertificate_arn = "{CERTIFICATE}"\n'
    errors = _errors(tmp_path, text + domain, "local")
    assert any('contradicts events.endpoint_scheme = "http"' in error for error in errors)


def test_imported_pool_is_valid(tmp_path: Path) -> None:
    text = _changed(
        identity__source='"import"', identity__pool_id='"eu-west-1_AbCdEf123"', identity__client_ids=f'["{"a" * 26}"]'
    )
    (tmp_path / "staging.toml").write_text(text, encoding="utf-8")
    environment: Environment = load("staging", tmp_path, {})
    assert environment.identity.client_ids == ("a" * 26,)


@pytest.mark.parametrize("name", ["../dev", "dev.toml", "", "nowhere"])
def test_error_about_an_unknown_environment_lists_the_known_ones(name: str) -> None:
    with pytest.raises(SettingsError, match="Known: dev, local, prod, staging"):
        load(name)


def test_error_names_a_file_that_is_not_toml(tmp_path: Path) -> None:
    (error,) = _errors(tmp_path, "[api\n")
    assert error.startswith("environments/staging.toml is not valid TOML: ")


def test_reference_of_all_fields_is_up_to_date() -> None:
    text = load_config.REFERENCE.read_text(encoding="utf-8")
    assert text == describe(), "docs/reference/environments.md is stale; run: make generate"
    assert "| `data.removal` |" in text


def test_command_reports_errors_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert load_config.main(["check"]) == 0
    assert load_config.main(["check", "nowhere"]) == 1
    assert "There is no environment 'nowhere'" in capsys.readouterr().err


def test_error_names_each_wrong_field_of_the_backups(tmp_path: Path) -> None:
    section = '[data.backup]\nevery = "year"\nkeep_days = 1\nsecond_vault = "other"\n'
    errors = "\n".join(_errors(tmp_path, f"{VALID}\n{section}"))
    assert 'data.backup.every = "year": must be one of "day", "week", "month"' in errors
    assert "data.backup.keep_days = 1: must be an integer from 7 to 3650 (days)" in errors
    assert 'data.backup.second_vault = "other": must be the ARN of a backup vault' in errors
