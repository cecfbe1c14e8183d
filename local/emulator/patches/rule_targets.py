"""Functions behind EventBridge rules that fail.

Upstream: a rule calls its function once and forgets a failure. AWS Lambda developer guide, "Asynchronous invocation":
such calls are repeated, twice unless configured otherwise, and what failed for good goes to the function's dead letter
queue or failure destination.
"""

from __future__ import annotations

import json

from ministack.services import eventbridge, lambda_svc


def apply() -> None:
    """Call functions as upstream itself calls them for other asynchronous sources."""
    dispatch_once = eventbridge._dispatch_to_lambda

    def dispatch(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if not function or not config:
            dispatch_once(arn, payload)  # which says in the log that there is none
            return
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch
