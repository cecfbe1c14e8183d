"""Finds the code that a template refers to: assets by their object key, or paths relative to the template."""

from pathlib import Path
from typing import Any

from appsync_events_local.template.files import Stack
from appsync_events_local.template.values.intrinsics import UnresolvedError


def asset_path(stack: Stack, location: Any) -> Path | None:
    """Return the file or folder of an asset; `None` if it is not on this machine.

    Args:
        stack: the stack with its assets.
        location: `s3://bucket/key`, the address of an object, `{"S3Bucket", "S3Key"}`, `{"Bucket", "Key"}`, or a path
            before packaging.
    """
    if isinstance(location, dict):
        location = location.get("S3Key", location.get("Key"))
    if not isinstance(location, str) or not location:
        return None
    for key, path in stack.assets.items():
        if location == key or location.endswith(f"/{key}"):
            return path if path.exists() else None
    relative = stack.file.parent / location
    return relative if "://" not in location and relative.exists() else None


def handler_code(stack: Stack, location: str) -> tuple[Path, str]:
    """Return file and text of the handlers that `CodeS3Location` names.

    Raises:
        UnresolvedError: the file is not on this machine, or is not text.
    """
    path = asset_path(stack, location)
    if path is None or not path.is_file():
        raise UnresolvedError(
            f"{location} is not an asset of the template",
            "serve the whole assembly (--assembly cdk.out), or give the source file: --handler NAMESPACE=file.js",
        )
    return path, read_code(path)


def read_code(path: Path) -> str:
    """Return the text of a handler file.

    Raises:
        UnresolvedError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnresolvedError(f"{path} cannot be read: {error}", "check the path") from error
