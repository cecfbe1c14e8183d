"""Loads the handlers of a namespace from its model: code, data sources and direct handlers."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appsync_events_local.functions.invoker import FunctionInvoker
from appsync_events_local.handlers.direct import DirectHandler
from appsync_events_local.handlers.namespace_handlers import DataSource, NamespaceHandlers
from appsync_events_local.model.api import Behavior, HandlerModel, Namespace, PropertyError
from appsync_events_local.model.data_sources import DataSourceModel, LambdaModel


@dataclass(frozen=True)
class HandlerLoader:
    """Loads handlers.

    Attributes:
        data_sources: creates data sources from their models.
        functions: invokes the functions of direct handlers.
    """

    data_sources: Callable[[DataSourceModel], DataSource]
    functions: FunctionInvoker

    async def load(self, model: Namespace, known: Mapping[str, DataSourceModel]) -> NamespaceHandlers:
        """Load the handlers of a namespace.

        Args:
            model: the namespace.
            known: the data sources of its API, by name.

        Raises:
            PropertyError: a handler names a data source that does not exist or has the wrong type.
            CodeRefused: the code is not valid APPSYNC_JS.
        """
        on_publish = self._implementation(model.on_publish, known)
        on_subscribe = self._implementation(model.on_subscribe, known)
        return await asyncio.to_thread(
            NamespaceHandlers.load, model.code, on_publish=on_publish, on_subscribe=on_subscribe
        )

    def _implementation(
        self, handler: HandlerModel, known: Mapping[str, DataSourceModel]
    ) -> DataSource | DirectHandler | None:
        if handler.data_source is None:
            return None
        model = known.get(handler.data_source)
        if model is None:
            raise PropertyError("HandlerConfigs", f"the API has no data source {handler.data_source}")
        if handler.behavior is Behavior.CODE:
            return self.data_sources(model)
        if not isinstance(model.target, LambdaModel):
            raise PropertyError(
                "HandlerConfigs", f"DIRECT needs a data source of type AWS_LAMBDA; {model.name} is not one"
            )
        return DirectHandler(model.target.function, self.functions, handler.invoke_type)
