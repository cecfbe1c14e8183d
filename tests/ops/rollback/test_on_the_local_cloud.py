"""Going back on the local cloud: an environment returns to the functions and channels of an older revision.

CloudFormation is the emulator in strict mode, reached by the same CLI commands and clients as AWS.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import cdk, revision
from ops.deploy.deployment import Options, carry_out, prepare
from ops.deploy.smoke import Result
from ops.rollback import __main__ as rollback
from stacks.config.load import load
from tests.ops.local_account import LocalAccount

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
_PUBLISHED = "contract/stored.py"


class Checkout:
    """A copy of the repository's history with one newer revision, which stores an attribute more."""

    def __init__(self, root: Path) -> None:
        self.root = root
        subprocess.run(["git", "clone", "--quiet", "--shared", str(cdk.ROOT), str(root)], check=True, timeout=60)
        for each in ("ops", "contract"):  # what is not committed yet is tested too
            shutil.copytree(cdk.ROOT / each, root / each, dirs_exist_ok=True)
        self._commit("older")
        self.older = self._head()
        wheels = root / ".build"
        wheels.mkdir()
        for each in (cdk.ROOT / ".build").glob("wheels-*"):
            (wheels / each.name).symlink_to(each)
        self._edit("appsync_js/chats.js", "\n", "\n// A comment of the newer revision.\n")
        self._edit("handlers/entry/users.py", '"""', '"""Newer. ')
        self._edit(
            "contract/items.py", '("createdAt?", "S", "of a block"),', '("createdAt?, reason?", "S", "of a block"),'
        )
        self._edit(
            _PUBLISHED,
            'has a number."),)',
            'has a number."), DataVersion(2, 1, "?", "A block has a reason."))',
        )
        self._commit("newer")
        self.newer = self._head()

    def _edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text, name
        (self.root / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    def _commit(self, message: str) -> None:
        self._git("add", "--all", "ops", "contract", "appsync_js", "handlers")
        self._git("commit", "--quiet", "--allow-empty", "--message", message)

    def _head(self) -> str:
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.edu", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.root), *author, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    made = LocalAccount(tmp_path_factory.mktemp("account"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("history") / "repository")


def test_functions_and_channels_go_back_and_the_data_stays(
    account: LocalAccount, checkout: Checkout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment, head = load("dev"), revision.current(checkout.root)
    tested: list[str] = []

    def test(*_: object) -> Result:
        tested.append("smoke test")
        return Result(())

    cdk.synthesise(checkout.root, "dev", tmp_path / "assembly", validate=False, revision=head)
    first = Options(("Data",), agreed=True)
    prepared = prepare(environment, tmp_path / "assembly", first, account.tools)
    assert carry_out(environment, tmp_path / "assembly", first, account.tools, prepared, test) == 0, account.output
    everything = ["deploy", "--app", str(tmp_path / "assembly"), "--all", "--require-approval", "never"]
    assert account.cli(everything) == 0, account.output[-3_000:]
    stacks = [f"PantherKolab-{each}-dev" for each in ("Data", "Identity", "Events", "Routes", "Operations")]
    assert [account.revision(each) for each in stacks] == [head] * 5, account.output[-3_000:]
    table = account.client("dynamodb")
    table.put_item(
        TableName="PantherKolab-Blocks-dev",
        Item={"userId": {"S": "a"}, "blockedUserId": {"S": "b"}, "reason": {"S": "stored by the newer revision"}},
    )

    account.answers = ["y"]
    capsys.readouterr()
    options = Options(rollback.STACKS, action="Going back")
    assert rollback.run(environment, checkout.older, options, account.tools, test, checkout.root) == 0, account.output

    printed = capsys.readouterr().out
    assert "Change report: dev" in printed
    assert f"in a checkout of {head}: make deploy ENV=dev" in printed
    older = checkout.older[:12]
    found = {each: account.revision(each) for each in stacks}
    assert [older in found[each] for each in stacks] == [False, False, True, True, False], found
    channel = account.client("cloudformation").get_template(StackName=stacks[2])["TemplateBody"]
    assert "A comment of the newer revision" not in str(channel)
    assert table.scan(TableName="PantherKolab-Blocks-dev", ConsistentRead=True)["Count"] == 1
    assert tested == ["smoke test"] * 2
