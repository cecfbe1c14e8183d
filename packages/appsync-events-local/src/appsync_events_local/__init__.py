"""AWS AppSync Events on one machine: serves any Event API from its CloudFormation template.

The protocol is a state machine without sockets or clock (`protocol`). Around it stand the authorizers (`auth`), the
publish pipeline and the fan-out (`publish`), the registered APIs (`registry`) and a thin aiohttp server (`http`).
Metrics, log and status page are in `observability`. Where AWS does not document a behaviour, `assumptions` holds what
this service does, with the reason.
"""

__version__ = "1.0.0"
