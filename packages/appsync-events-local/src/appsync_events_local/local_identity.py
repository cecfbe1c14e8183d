"""The access key and account that are valid when the service has no credentials file."""

from typing import Final

LOCAL_ACCESS_KEY_ID: Final = "local"
LOCAL_SECRET_ACCESS_KEY: Final = "local"  # noqa: S105 - documented, and valid on this machine only
LOCAL_ACCOUNT_ID: Final = "000000000000"
