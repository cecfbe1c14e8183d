"""Code that a template refers to: assets by their object key, or paths beside the template."""

from pathlib import Path
from typing import Any

from local.events.template.files import Stack
from local.events.template.intrinsics import UnresolvedError


def asset_path(stack: Stack, location: Any) -> Path | None:
    """File or folder of an asset, `None` if it is not on this machine.

    Args:
        stack: whose assets are looked through.
        location: `s3://bucket/key`, `{"S3Bucket", "S3Key"}`, `{"Bucket", "Key"}`, or a path as it is before packaging.
    """
    if isinstance(location, dict):
        key = location.get("S3Key", location.get("Key"))
    elif isinstance(location, str):
        key = location.removeprefix("s3://").partition("/")[2] if location.startswith("s3://") else location
    else:
        key = None
    if not isinstance(key, str) or not key:
        return None
    asset = stack.assets.get(key)
    if asset is None and isinstance(location, str) and not location.startswith("s3://"):
        asset = stack.file.parent / location
    return asset if asset is not None and asset.exists() else None


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
