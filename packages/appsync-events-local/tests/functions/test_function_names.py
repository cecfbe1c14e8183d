"""Every form in which a template names a function gives the same function name."""

import pytest
from appsync_events_local.functions.invoker import name_of

ARN = "arn:aws:lambda:us-east-1:000000000000:function:decide"


@pytest.mark.parametrize(
    "written",
    [
        "decide",
        "decide:live",
        ARN,
        f"{ARN}:live",
        f"{ARN}:$LATEST",
        "000000000000:function:decide",
        f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations",
    ],
)
def test_a_function_is_found_by_its_name_its_arn_and_its_invocation_path(written: str) -> None:
    assert name_of(written) == "decide"
