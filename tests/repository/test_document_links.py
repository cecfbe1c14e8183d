"""Links, anchors, paths and class names in the pages: each exists in the repository."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CREATED = (
    ".venv/",
    ".local/",
    ".build/",
    "node_modules/",
    "web/dist",
    "config.json",
    "event.json",
    ".env.local",
    "cdk.out",
)
"""Files and directories that commands or operators create."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
PATH = re.compile(r"(?=.*[/.])[\w.@{}*,-]+(?:/[\w.@{}*,-]+)*/?")
CLASS = re.compile(r"(?<![\w./-])(?:[A-Z][a-z0-9]+){2,}(?![\w-])")
GLOSSARY = "docs/reference/glossary.md"
"""Lists names that no code has any more; `test_words.py` checks the others."""
NAMES_OF_AWS = frozenset(
    {
        *{"GetStackOutput", "LimitExceeded", "InboundMessageDelayed", "InboundMessageDropped"},
        *{"AdminEnableUser", "AdminUserGlobalSignOut", "AdminDeleteUser", "GetQueueUrl"},
        *{"ListBackups", "DescribeTimeToLive", "DescribeContinuousBackups", "ListTagsOfResource", "BatchWriteItem"},
    }
)
"""AWS's names that no source uses."""
SOURCES = frozenset({".py", ".ts", ".tsx", ".js", ".mjs", ".json", ".yaml", ".toml"})


def _tracked() -> frozenset[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return frozenset(name for name in listed.split("\0") if (ROOT / name).is_file())


TRACKED = _tracked()
DIRECTORIES = frozenset(parent.as_posix() for name in TRACKED for parent in Path(name).parents)
PAGES = sorted(
    name
    for name in TRACKED
    if (name.endswith(".md") and (name.startswith(("docs/", "README", "CONTRIBUTING")) or "/README.md" in name))
    or (name.startswith("packages/appsync-events-local/docs/") and name.endswith(".md"))
)


@functools.cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@functools.cache
def prose_of(page: str) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


@functools.cache
def anchors_of(page: str) -> frozenset[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    found: dict[str, int] = {}
    anchors = set()
    for heading in HEADING.findall(prose_of(page)):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        count = found.get(anchor, 0)
        found[anchor] = count + 1
        anchors.add(f"{anchor}-{count}" if count else anchor)
    return frozenset(anchors)


def broken_links(page: str) -> Iterator[str]:
    for target in LINK.findall(prose_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        name = path.resolve().relative_to(ROOT).as_posix()
        if name not in TRACKED and name not in DIRECTORIES:
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors_of(name):
            yield f"{target}: no such heading"


def _expanded(text: str) -> list[str]:
    """Return the paths of a text such as `environments/{dev,prod}.toml`."""
    if (braces := re.search(r"\{([^{}]*,[^{}]*)\}", text)) is None:
        return [text]
    head, tail = text[: braces.start()], text[braces.end() :]
    return [path for choice in braces[1].split(",") for path in _expanded(f"{head}{choice.strip()}{tail}")]


def _exists(path: str, page: str) -> bool:
    """Return whether a path exists, from the root or from the page; `{name}` and `*` are wildcards."""
    pattern = re.compile(re.sub(r"\\\{\w+\\\}|\\\*", "[^/]+", re.escape(path.rstrip("/"))))
    return any(pattern.fullmatch(name) for names in _names_from(page) for name in names)


@functools.cache
def _names_from(page: str) -> tuple[tuple[str, ...], ...]:
    """Return all files and directories, relative to each directory that holds the page."""
    everything = (*TRACKED, *DIRECTORIES)
    folders = [f"{parent}/" for parent in Path(page).parents if parent != Path()]
    return everything, *(tuple(name.removeprefix(f) for name in everything if name.startswith(f)) for f in folders)


def _roots(page: str) -> frozenset[str]:
    """Return the names with which a path of the repository begins on a page."""
    return frozenset(name.split("/")[0] for names in _names_from(page) for name in names)


def missing_paths(page: str) -> Iterator[str]:
    roots = _roots(page)
    for code in CODE.findall(prose_of(page)):
        if not PATH.fullmatch(code) or code.startswith(CREATED):
            continue
        is_file = re.search(r"\w\.(?:py|md|toml|js|mjs|ts|tsx|json|yaml|txt|lock|html)$", code)
        if "/" in code and code.split("/")[0] not in roots:
            continue
        if "/" not in code and not is_file:
            continue
        yield from (path for path in _expanded(code) if not _exists_anywhere(path, page))


def _exists_anywhere(path: str, page: str) -> bool:
    if "/" in path:
        return _exists(path, page)
    return any(name.rsplit("/", 1)[-1] == path for name in TRACKED) or _exists(path, page)


@functools.cache
def names_in_code() -> frozenset[str]:
    """Return the words of all sources."""
    sources = (name for name in TRACKED if Path(name).suffix in SOURCES)
    return frozenset(word for name in sources for word in re.findall(r"\w+", text_of(name)))


def unknown_classes(page: str) -> list[str]:
    return [
        name
        for name in CLASS.findall(" ".join(CODE.findall(prose_of(page))))
        if name not in names_in_code() | NAMES_OF_AWS
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_anchor_of_a_page_exists(page: str) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    assert list(missing_paths(page)) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != GLOSSARY])
def test_every_class_that_a_page_names_is_in_the_code(page: str) -> None:
    assert unknown_classes(page) == []


def test_readme_is_shorter_than_120_lines() -> None:
    assert len(text_of("README.md").splitlines()) < 120


def test_a_missing_file_heading_and_path_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two`\n[a](page.md#one-two) [b](page.md#three) [c](gone.md) [d](https://example.edu/x#y)\n"
        "`page.md` `docs/gone.py` `docs/{here,there}.py` `gone.py` `a/b` `.local/x.json`\n```\n[e](code.md)\n```\n"
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    monkeypatch.setitem(globals(), "TRACKED", frozenset({"page.md", "docs/here.py"}))
    monkeypatch.setitem(globals(), "DIRECTORIES", frozenset({".", "docs"}))
    for cached in (text_of, prose_of, anchors_of, _names_from):
        cached.cache_clear()
    assert list(broken_links("page.md")) == ["page.md#three: no such heading", "gone.md: no such file"]
    assert list(missing_paths("page.md")) == ["docs/gone.py", "docs/there.py", "gone.py"]
    for cached in (text_of, prose_of, anchors_of, _names_from):
        cached.cache_clear()
