"""The public shape of the product, each rule in its one home: tables, channels, events, routes, models and limits.

Stacks, route functions, the local cloud's tests, the client and the generated documents read these modules;
nothing in here imports an AWS library.
"""
