"""Where no functions are configured: every invocation fails, and says so."""

from local.events.functions.invoker import FunctionUnavailableError, Invocation


class NoFunctions:
    """Invokes nothing."""

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> Invocation:
        """Fail.

        Raises:
            FunctionUnavailableError: always.
        """
        raise FunctionUnavailableError(function, "the service was started without anything that runs functions")
