"""CloudFormation resource types that ministack lacks, or that belong to our Events service."""

from __future__ import annotations

from local.emulator.providers.appsync import EventApiProviders
from local.emulator.providers.control_client import ControlClient
from local.emulator.providers.event_api_reads import EventApiReads
from local.emulator.providers.no_operation import install_no_operations
from local.emulator.providers.page_origin import install_page_origin
from local.emulator.settings import EmulatorSettings

__all__ = ["install_providers"]


def install_providers(settings: EmulatorSettings) -> None:
    """Register every provider of ours with ministack's CloudFormation; call it after the fixes were applied."""
    token = settings.state.control_token()
    control = ControlClient(settings.events_url, token)
    EventApiProviders(control, settings).install()
    EventApiReads(control).install()
    install_no_operations()
    install_page_origin(settings.web_port)
