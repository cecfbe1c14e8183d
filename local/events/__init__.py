"""A service that speaks AppSync Events: any Event API, on one machine.

The protocol is a state machine without sockets or clock (`protocol`); around it stand the authorisers (`auth`),
the publish pipeline (`publish`), the fan-out (`broker`) and a thin aiohttp server (`server`). APIs are registered
through a control API (`control`) and survive a restart (`registry`). What happens is told once (`activity`): as
`metrics`, in the `log`, and on a page for people (`status`). Where AWS does not document a behaviour, `choices` says
what this service does and why.
"""
