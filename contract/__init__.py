"""The public contract: tables, items, channels, events, routes, requests, responses and limits, each defined once.

Stacks, Lambda handlers, clients, tests and the generated documents read these modules. Nothing here imports an AWS
library.
"""
