"""Code that a template refers to: assets by their object key, or paths beside the template."""

from pathlib import Path
from typing import Any

from appsync_events_local.template.files import Stack
from appsync_events_local.template.values.intrinsics import UnresolvedError


def asset_path(stack: Stack, location: Any) -> Path | None:
    """File or folder of an asset, `None` if it is not on this machine.

    Args:
        stack: whose assets are looked through.
        location: `s3://bucket/key`, the address of an object, `{"S3Bucket", "S3Key"}`, `{"Bucket", "Key"}`, or a path
            as it is before packaging.
    """
    if isinstance(location, dict):
        location = location.get("S3Key", location.get("Key"))
    if not isinstance(location, str) or not location:
        return None
    for key, path in stack.assets.items():
        if location == key or location.endswith(f"/{key}"):
            return path if path.exists() else None
    beside = stack.file.parent / location
    return beside if "://" not in location and beside.exists() else None


def handler_code(stack: Stack, location: str) -> tuple[Path, str]:
    """File and text of a namespace's handlers that `CodeS3Location` names.

    Raises:
        UnresolvedError: it is not on this machine, or not text.
    """
    path = asset_path(stack, location)
    if path is None or not path.is_file():
        raise UnresolvedError(
            f"{location} is not among the assets beside the template",
            "serve the whole assembly (--assembly cdk.out), or name the source: --handler NAMESPACE=file.js",
        )
    return path, read_code(path)


def read_code(path: Path) -> str:
    """The text of a handler file.

    Raises:
        UnresolvedError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnresolvedError(f"{path} cannot be read: {error}", "check the path") from error
