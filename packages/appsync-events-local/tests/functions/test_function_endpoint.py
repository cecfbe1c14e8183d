"""Functions behind a Lambda endpoint, and the chain of several invokers."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator

import botocore.session
import pytest
from appsync_events_local.aws_clients import Credentials
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.functions.endpoint import LambdaEndpoint
from appsync_events_local.functions.invoker import FunctionUnavailableError, UnknownFunctionError
from appsync_events_local.functions.model import FunctionModel, InlineCode
from appsync_events_local.functions.runner import FunctionRunner

REGION = "us-east-1"
CREDENTIALS = Credentials("test", "test")
CODE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("no such luck")
    return {"event": event, "name": context.function_name}
"""


@pytest.fixture
async def endpoint(dynamodb_endpoint: str) -> AsyncIterator[LambdaEndpoint]:
    """The Lambda API of the emulator, with the function `echo`."""
    await asyncio.to_thread(_create_echo, dynamodb_endpoint)
    made = LambdaEndpoint(dynamodb_endpoint, region=REGION, credentials=CREDENTIALS)
    yield made
    await asyncio.to_thread(made.close)


def _create_echo(url: str) -> None:
    client = botocore.session.Session().create_client(
        "lambda", region_name=REGION, endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", CODE)
    try:
        client.create_function(
            FunctionName="echo",
            Runtime="python3.13",
            Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/echo",
            Code={"ZipFile": packed.getvalue()},
        )
    except client.exceptions.ResourceConflictException:
        pass
    finally:
        client.close()


async def test_function_behind_a_lambda_endpoint_returns_results_and_errors(endpoint: LambdaEndpoint) -> None:
    invocation = await endpoint.invoke("echo", b'{"a": 1}', asynchronous=False)
    assert invocation.function_error is None
    assert json.loads(invocation.payload) == {"event": {"a": 1}, "name": "echo"}
    failed = await endpoint.invoke("echo", b'{"fail": true}', asynchronous=False)
    assert failed.function_error == "Unhandled"
    assert json.loads(failed.payload)["errorMessage"] == "no such luck"
    assert (await endpoint.invoke("echo", b"{}", asynchronous=True)).payload == b""


async def test_unknown_function_and_unreachable_endpoint_raise_different_errors(
    endpoint: LambdaEndpoint, unused_tcp_port: int
) -> None:
    with pytest.raises(UnknownFunctionError):
        await endpoint.invoke("missing", b"{}", asynchronous=False)
    nowhere = LambdaEndpoint(f"http://127.0.0.1:{unused_tcp_port}", region=REGION, credentials=CREDENTIALS)
    with pytest.raises(FunctionUnavailableError, match="cannot be reached"):
        await nowhere.invoke("echo", b"{}", asynchronous=False)
    nowhere.close()


async def test_functions_of_the_template_take_precedence_over_those_of_an_endpoint(endpoint: LambdaEndpoint) -> None:
    code = InlineCode("def handler(event, context): return 'here'")
    here = FunctionModel("here", "arn:aws:lambda:us-east-1:0:function:here", "python3.13", "index.handler", code)
    runner = FunctionRunner([here])
    chain = InvokerChain([runner, endpoint])
    assert (await chain.invoke(here.arn, b"{}", asynchronous=False)).payload == b'"here"'
    assert b"echo" in (await chain.invoke("echo", b"{}", asynchronous=False)).payload
    with pytest.raises(UnknownFunctionError, match="it is not in a served template"):
        await chain.invoke("missing", b"{}", asynchronous=False)
    with pytest.raises(UnknownFunctionError, match="no --lambda-endpoint"):
        await InvokerChain([]).invoke("missing", b"{}", asynchronous=False)
    await runner.close()
