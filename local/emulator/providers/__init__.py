"""CloudFormation resource types that ministack lacks, or that belong to our Events service."""

from __future__ import annotations

from local.emulator.credentials import CredentialStore
from local.emulator.providers.appsync import EventApiProviders
from local.emulator.providers.control_client import ControlClient
from local.emulator.providers.event_api_reads import EventApiReads
from local.emulator.providers.no_operation import install_no_operations
from local.emulator.providers.page_origin import install_page_origin
from local.emulator.settings import EmulatorSettings

__all__ = ["install_providers"]


def install_providers(settings: EmulatorSettings, store: CredentialStore) -> None:
    """Register every provider of ours with ministack's CloudFormation; call it after the fixes were applied.

    Args:
        settings: of the emulator.
        store: issues the keys of data sources' roles.
    """
    token = settings.state.control_token()
    control = ControlClient(settings.events_url, token)
    EventApiProviders(control, settings, store).install()
    EventApiReads(control).install()
    install_no_operations()
    install_page_origin(settings.web_port)
