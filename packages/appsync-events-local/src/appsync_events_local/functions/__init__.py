"""Invokes Lambda functions: data sources, direct handlers and authorizers.

`invoker` defines the interface; `endpoint` invokes functions through a Lambda API (of an emulator, or AWS), `runner`
runs the functions of the served templates in local processes.
"""
