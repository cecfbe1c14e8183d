"""app.py as a command: every environment synthesises without credentials and network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.config.load import environment_names
from stacks.packaging import ROOT

_NO_NETWORK_PYTHON = """
import socket
def refuse(*arguments, **options):
    raise SystemExit("the synthesis used the network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""
_NO_NETWORK_NODE = """
const refuse = () => { process.stderr.write("the synthesis used the network\\n"); process.exit(97); };
require("net").Socket.prototype.connect = refuse;
require("dns").lookup = refuse;
"""


def _write_guard(tmp_path: Path) -> Path:
    """Write the modules that stop Python and Node at their first use of the network; returns their directory."""
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(_NO_NETWORK_PYTHON, encoding="utf-8")
    (guard / "guard.js").write_text(_NO_NETWORK_NODE, encoding="utf-8")
    return guard


def _run(tmp_path: Path, context: dict[str, str], *, github: str = "") -> subprocess.CompletedProcess[str]:
    guard = _write_guard(tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    # Validating the templates of one environment against all schemas takes seconds, and the others differ little.
    if context.get("env") != "prod":
        environment["CDK_VALIDATION"] = "false"
    environment |= {
        "PYTHONPATH": str(guard),
        "NODE_OPTIONS": f"--require {guard / 'guard.js'}",
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "CDK_CONTEXT_JSON": json.dumps(
            {**json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"], **context}
        ),
    }
    root = _with_github(tmp_path, context["env"], github) if github else ROOT
    return subprocess.run(
        [sys.executable, "app.py"], cwd=root, env=environment, capture_output=True, text=True, timeout=100
    )


def _with_github(tmp_path: Path, environment: str, settings: str) -> Path:
    """Return a copy of the app whose environment has a section `github`."""
    root = tmp_path / "app"
    shutil.copytree(ROOT / "stacks", root / "stacks")
    shutil.copytree(ROOT / "environments", root / "environments")
    shutil.copy(ROOT / "app.py", root)  # Python would look for modules beside the target of a link
    for name in ("contract", "handlers", "appsync_js"):
        (root / name).symlink_to(ROOT / name)
    file = root / "environments" / f"{environment}.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n[github]\n{settings}\n", encoding="utf-8")
    return root


@pytest.mark.parametrize("environment", environment_names())
def test_environment_synthesises_without_credentials_and_network(environment: str, tmp_path: Path) -> None:
    finished = _run(tmp_path, {"env": environment})
    assert finished.returncode == 0, finished.stderr
    manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text(encoding="utf-8"))
    stacks = {
        artifact["properties"]["stackName"]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    kinds = ("Data", "Identity", "Events", "Routes", "Operations")
    assert stacks == {f"PantherKolab-{stack}-{environment}" for stack in kinds}
    assert "missing" not in manifest, "the synthesis needs a lookup in the account"
    assert "[WARNING]" not in finished.stderr, finished.stderr


@pytest.mark.parametrize(
    ("context", "expected"), [({}, "Add -c env=NAME"), ({"env": "production"}, "There is no environment 'production'")]
)
def test_error_about_a_missing_or_unknown_environment_lists_the_known_ones(
    context: dict[str, str], expected: str, tmp_path: Path
) -> None:
    finished = _run(tmp_path, context)
    assert finished.returncode == 1
    assert expected in finished.stderr
    assert "dev, local, prod, staging" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_deployment_roles_require_the_settings_of_github(tmp_path: Path) -> None:
    finished = _run(tmp_path, {"env": "dev", "deployment-access": "yes"})
    assert finished.returncode == 1
    assert "environments/dev.toml: github is missing" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_deployment_roles_are_a_stack_of_their_own(tmp_path: Path) -> None:
    finished = _run(tmp_path, {"env": "dev", "deployment-access": "yes"}, github='repository = "example-edu/chat"')
    assert finished.returncode == 0, finished.stderr
    assert [path.name for path in (tmp_path / "cdk.out").glob("*.template.json")] == ["DeploymentAccess.template.json"]


def test_network_guards_stop_python_and_node(tmp_path: Path) -> None:
    guard = _write_guard(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(guard)}
    program = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')"
    finished = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )
    assert "the synthesis used the network" in finished.stderr
    script = "require('http').get('http://127.0.0.1:9')"
    node = ["node", "--require", str(guard / "guard.js"), "-e", script]
    assert subprocess.run(node, capture_output=True, timeout=60).returncode == 97
