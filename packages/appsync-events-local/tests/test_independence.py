"""The suite imports only the package, its own helpers and published libraries, so it runs outside the repository."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

SUITE = Path(__file__).resolve().parent
OWN = ("appsync_events_local", "conformance_suite", "service_harness")
DEPENDENCIES = ("aiohttp", "botocore", "cryptography", "jwt")
"""Dependencies of the package."""
TEST_REQUIREMENTS = ("boto3", "hypothesis", "pytest", "pytest_asyncio")
"""Further libraries that tests import. The emulator `ministack`, Node and Powertools run in separate processes."""


def imported_packages(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield (node.module or "").partition(".")[0]


def test_suite_imports_only_the_package_its_helpers_and_published_libraries() -> None:
    allowed = {*OWN, *DEPENDENCIES, *TEST_REQUIREMENTS, *sys.stdlib_module_names}
    found = {
        f"{file.relative_to(SUITE)} imports {name}"
        for file in SUITE.rglob("*.py")
        for name in imported_packages(file)
        if name not in allowed
    }
    assert found == set()
