"""Settings of the command line for reading templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DEFAULT_REGION: Final = "us-east-1"
DEFAULT_ACCOUNT: Final = "000000000000"


@dataclass(frozen=True)
class TemplateSettings:
    """Values that the templates leave open.

    Attributes:
        authority: host and port of the service, e.g. `localhost:4570`; part of the host names of APIs.
        account: `AWS::AccountId`.
        region: `AWS::Region`; `None` takes the assembly's, or us-east-1.
        parameters: values of template parameters, by name.
        imports: values for `Fn::ImportValue` of stacks that are not among the templates, by export name.
        resources: physical ids of existing resources, by logical id or `Stack.LogicalId`.
        handlers: files that replace a namespace's code, by namespace or `api/namespace`.
    """

    authority: str
    account: str = DEFAULT_ACCOUNT
    region: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)
    handlers: Mapping[str, Path] = field(default_factory=dict)
