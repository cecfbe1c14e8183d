"""AWS AppSync Events on one machine: serves any Event API from its CloudFormation template.

The names in `__all__` are the public API; every other name of the package is internal and may change in any release.

* `main` runs the command `appsync-events-local`; `python -m appsync_events_local` is the same.
* `evaluate` runs one handler with one context and returns what AWS's EvaluateCode returns.
* `NamespaceHandlers` loads the handlers of a namespace and runs them on `Incoming` events, for unit tests of handlers.

The packages, from low to high; a package imports lower ones only: `protocol` (the WebSocket protocol as a state
machine), `model` (Event APIs from CloudFormation properties), `observability`, `functions` (Lambda), `runtime`
(APPSYNC_JS), `sources` (data sources), `auth`, `handlers`, `publish` (pipeline and delivery), `registry`, `template`,
`http`, `cli`. `assumptions` holds what the service does where AWS documents nothing, with the reasons.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from appsync_events_local._version import __version__

if TYPE_CHECKING:
    from appsync_events_local.cli.evaluate import evaluate
    from appsync_events_local.cli.main import main
    from appsync_events_local.handlers.invocations import HandlerFailed, HandlerRefused, Incoming, Invocation, Outgoing
    from appsync_events_local.handlers.namespace_handlers import NamespaceHandlers
    from appsync_events_local.runtime.errors import CodeRefused, Problem
    from appsync_events_local.runtime.outcomes import Limits
    from appsync_events_local.sources.data_source import DataSource, DataSourceError

__all__ = [
    "CodeRefused",
    "DataSource",
    "DataSourceError",
    "HandlerFailed",
    "HandlerRefused",
    "Incoming",
    "Invocation",
    "Limits",
    "NamespaceHandlers",
    "Outgoing",
    "Problem",
    "__version__",
    "evaluate",
    "main",
]

_MODULES: Final = {
    "CodeRefused": "runtime.errors",
    "DataSource": "sources.data_source",
    "DataSourceError": "sources.data_source",
    "HandlerFailed": "handlers.invocations",
    "HandlerRefused": "handlers.invocations",
    "Incoming": "handlers.invocations",
    "Invocation": "handlers.invocations",
    "Limits": "runtime.outcomes",
    "NamespaceHandlers": "handlers.namespace_handlers",
    "Outgoing": "handlers.invocations",
    "Problem": "runtime.errors",
    "evaluate": "cli.evaluate",
    "main": "cli.main",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use: every module of the package imports this one first, so imports here would be circular.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
