"""What holds for every workflow: pinned actions, least permissions, limits of time, and commands that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stacks.config.fields import LOCAL
from stacks.config.load import environment_names
from stacks.deployment_access import DEPLOY, REPORT, VERIFY
from stacks.naming import Names
from stacks.packaging import ROOT
from tests.workflows.workflow import DIRECTORY, NAMES, Workflow, parsed, scripts, workflow

every_workflow = pytest.mark.parametrize("name", NAMES)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
VERSION = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
JOB_PERMISSIONS = "    permissions:\n      contents: read\n      actions: read\n      pull-requests: write\n"
LIFTED = {
    "publish-report.yml": {"pull-requests": "write"},
    "pull-request.yml": {"id-token": "write"},
    "deploy.yml": {"id-token": "write"},
    "main.yml": {"id-token": "write"},
    "release.yml": {"id-token": "write"},
}
"""The permissions above reading that the jobs of each workflow may have."""


def unpinned(given: Workflow) -> list[str]:
    """Return the actions that are not pinned by a commit with its version; workflows of this repository need none."""
    lines = [line.strip().removeprefix("- ") for line in given.text.splitlines() if re.search(r"\buses:", line)]
    return [line for line in lines if not line.startswith("uses: ./") and not VERSION.fullmatch(line)]


def untrusted_checkouts(given: Workflow) -> list[str]:
    """Return the jobs that check out a pull request although the workflow may write or has secrets."""
    if not {"pull_request_target", "workflow_run"} & set(given.triggers):
        return []
    chosen = (
        (job, str(step.get("with", {}).get("ref", "")) + str(step.get("with", {}).get("repository", "")))
        for job, step in given.steps()
        if "checkout" in step.get("uses", "")
    )
    return [job for job, ref in chosen if "head" in ref or "pull_request" in ref or "workflow_run" in ref]


def zizmor(file: Path) -> subprocess.CompletedProcess[str]:
    command = ["zizmor", "--quiet", "--offline", "--strict-collection", "--format", "plain", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@every_workflow
def test_workflow_is_valid_and_secure(name: str) -> None:
    """zizmor validates the form of a workflow by GitHub's schema, and knows the common attacks."""
    finished = zizmor(DIRECTORY / name)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("runs-on: ubuntu-24.04", "run-on: ubuntu-24.04", "schema"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7.0.1", "unpinned-uses"),
        (
            "run: python3 -m",
            'run: echo "${{ github.event.workflow_run.head_branch }}"; python3 -m',
            "template-injection",
        ),
        (JOB_PERMISSIONS, "    permissions: write-all\n", "excessive-permissions"),
        ("          persist-credentials: false\n", "", "artipacked"),
        (" # zizmor: ignore[dangerous-triggers] it checks out and runs the main branch only", "", "dangerous-triggers"),
    ],
)
def test_defect_of_a_workflow_is_found(tmp_path: Path, before: str, after: str, finding: str) -> None:
    text = workflow("publish-report.yml").text
    assert before in text
    (tmp_path / "workflow.yml").write_text(text.replace(before, after), encoding="utf-8")
    finished = zizmor(tmp_path / "workflow.yml")
    assert finished.returncode != 0
    assert finding in finished.stdout + finished.stderr


@every_workflow
def test_actions_are_pinned_by_commit_and_name_their_version(name: str) -> None:
    assert unpinned(workflow(name)) == []


@pytest.mark.parametrize("use", ["actions/checkout@v7", f"actions/checkout@{'a' * 40}", f"a/b@{'a' * 39} # v1.0.0"])
def test_action_without_commit_or_version_is_found(use: str) -> None:
    assert unpinned(parsed("x", f"on: push\njobs:\n  a:\n    steps:\n      - uses: {use}\n"))


def test_one_action_has_one_commit() -> None:
    used = {use for name in NAMES for use in re.findall(r"uses: ((?!\./)\S+)", workflow(name).text)}
    assert len({use.partition("@")[0] for use in used}) == len(used) > 0
    assert all(PINNED.fullmatch(use) for use in used)


@every_workflow
def test_workflow_has_no_permission_and_each_job_only_what_it_needs(name: str) -> None:
    assert workflow(name).document["permissions"] == {}
    for job in workflow(name).jobs.values():
        permissions = job["permissions"]
        lifted = {key: value for key, value in permissions.items() if value != "read"}
        assert lifted.items() <= LIFTED.get(name, {}).items()
        assert set(permissions) <= {"contents", "actions", *lifted}


@every_workflow
def test_every_job_ends_in_time_and_runs_on_a_named_image(name: str) -> None:
    for job in workflow(name).jobs.values():
        if "uses" not in job:
            assert 0 < job["timeout-minutes"] <= 120
            assert job["runs-on"] == "ubuntu-24.04"


@every_workflow
def test_runs_of_one_kind_do_not_overlap(name: str) -> None:
    given = workflow(name)
    if set(given.triggers) == {"workflow_call"}:
        return
    assert given.document["concurrency"]["group"]
    cancelled = given.document["concurrency"]["cancel-in-progress"]
    assert cancelled == ("pull_request" in given.triggers), "only a run that changes nothing may be cancelled"


def test_deployments_of_one_environment_do_not_overlap_and_are_never_cancelled() -> None:
    concurrency = workflow("deploy.yml").jobs["deploy"]["concurrency"]
    assert concurrency == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}


@every_workflow
def test_no_workflow_runs_untrusted_code_with_rights(name: str) -> None:
    assert "pull_request_target" not in workflow(name).triggers
    assert untrusted_checkouts(workflow(name)) == []


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_checkout_of_a_pull_request_with_rights_is_found(event: str) -> None:
    text = f"on: {event}\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@x\n        with:\n          ref: "
    assert untrusted_checkouts(parsed("x", text + "${{ github.event.pull_request.head.sha }}"))
    assert untrusted_checkouts(parsed("x", text + "main")) == []


def test_pull_request_has_no_secret_and_no_token_reaches_the_code_of_a_fork() -> None:
    given = workflow("pull-request.yml")
    assert "secrets" not in given.text
    assert "github.token" not in given.text
    for name, job in given.jobs.items():
        if job["permissions"].get("id-token"):
            assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"], name


@every_workflow
def test_no_secret_is_used_and_none_is_printed(name: str) -> None:
    text = workflow(name).text
    assert "secrets." not in text
    assert not re.search(r"\bset -x\b|\bprintenv\b|ACTIONS_STEP_DEBUG", text)
    for _, step in workflow(name).steps():
        if "configure-aws-credentials" in step.get("uses", ""):
            assert step["with"]["mask-aws-account-id"] is True
            assert step["with"]["allowed-account-ids"]
            assert not any("key" in option or "token" in option for option in step["with"])
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@every_workflow
def test_jobs_inputs_and_variables_that_a_workflow_names_exist(name: str) -> None:
    """An expression with an unknown name is empty, and no error."""
    given = workflow(name)
    inputs = (given.triggers.get("workflow_call") or {}).get("inputs", {})
    assert set(re.findall(r"\binputs\.(\w+)", given.text)) == set(inputs)
    for job in given.jobs.values():
        assert job.get("needs") is None or job["needs"] in given.jobs
        rows = job.get("strategy", {}).get("matrix", {}).get("include", [])
        for named in set(re.findall(r"\bmatrix\.(\w+)", str(job))):
            assert rows
            assert all(named in row for row in rows)
        if job.get("uses"):
            called = workflow(job["uses"].removeprefix("./.github/workflows/")).triggers["workflow_call"] or {}
            required = {key for key, value in called.get("inputs", {}).items() if value.get("required")}
            assert required <= set(job.get("with", {})) <= set(called.get("inputs", {}))
    page = (ROOT / "docs" / "how-to" / "set-up-continuous-deployment.md").read_text(encoding="utf-8")
    for variable in re.findall(r"\bvars\.(\w+)|(?:account|region): ([A-Z]\w+)", given.text):
        assert "".join(variable) in page, f"the page does not say to set the variable {''.join(variable)}"


@pytest.mark.parametrize(("place", "script"), scripts(), ids=[place for place, _ in scripts()])
def test_commands_of_a_step_exist(place: str, script: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = re.findall(r"\bmake ([a-z-]+)", script)
    assert set(named) <= targets
    modules = re.findall(r"python3? -m ([\w.]+)", script)
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    assert named or modules or re.search(r"\b(?:git|head) ", script), place
    assert "${{" not in script, "values reach a script by its environment, so that they are never part of its text"


@pytest.mark.parametrize(("place", "script"), scripts(), ids=[place for place, _ in scripts()])
def test_script_of_a_step_has_no_error(place: str, script: str) -> None:
    finished = subprocess.run(
        ["shellcheck", "--shell", "bash", "-"], input=script, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0, f"{place}\n{finished.stdout}"


def _with(step: str, name: str = "deploy.yml") -> dict[str, Any]:
    given: dict[str, Any] = workflow(name).step(step)["with"]
    return given


def test_workflows_assume_the_roles_of_the_stack() -> None:
    environments = [name for name in environment_names() if name != LOCAL]
    compared = workflow("pull-request.yml").jobs["deployed"]["strategy"]["matrix"]["include"]
    assert [each["environment"] for each in compared] == ["dev", "staging", "prod"]
    assert sorted(environments) == ["dev", "prod", "staging"]
    for role, step in ((DEPLOY, "Get credentials that may deploy"), (VERIFY, "Get credentials that may test")):
        assert _with(step)["role-to-assume"].endswith(f":role/{Names('${{ inputs.environment }}').of(role)}")
    report = _with("Get credentials that may read stacks", "pull-request.yml")
    assert report["role-to-assume"].endswith(f":role/{Names('${{ matrix.environment }}').of(REPORT)}")


def test_release_needs_a_tag_of_main_then_checks_then_staging_with_tests_then_prod() -> None:
    jobs = workflow("release.yml").jobs
    assert workflow("release.yml").triggers == {"push": {"tags": ["v*"]}}
    assert [jobs[name].get("needs") for name in ("revision", "check", "staging", "prod")] == [
        *(None, "revision", "check", "staging"),
    ]
    assert jobs["staging"]["with"]["verify"] is True
    assert workflow("deploy.yml").jobs["deploy"]["environment"] == "${{ inputs.environment }}"
    assert workflow("main.yml").triggers == {"push": {"branches": ["main"]}}
    assert workflow("main.yml").jobs["dev"]["with"]["environment"] == "dev"


def test_variables_of_accounts_are_those_that_the_environments_name() -> None:
    env = workflow("deploy.yml").jobs["deploy"]["env"]
    for name in ("staging", "prod"):
        text = (ROOT / "environments" / f"{name}.toml").read_text(encoding="utf-8")
        for variable in re.findall(r'"env:(\w+)"', text):
            assert env[variable] == f"${{{{ vars.{variable} }}}}"


def test_credentials_are_requested_after_the_installation() -> None:
    steps = [step["name"] for _, step in workflow("deploy.yml").steps()]
    order = ["Install", "Get credentials that may deploy", "Deploy", "Get credentials that may test", "Verify"]
    assert [name for name in steps if name in order] == order
