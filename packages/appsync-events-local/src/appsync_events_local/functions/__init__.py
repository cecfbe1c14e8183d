"""Lambda functions as the Events service calls them: as data sources, as direct handlers and as authorisers.

`invoker` is the port; `endpoint` calls functions through a Lambda API (an emulator, or AWS), `runner` runs the
functions of the served templates in processes of its own.
"""
