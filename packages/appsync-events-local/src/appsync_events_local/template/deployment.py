"""Keeps the service in step with templates: registers what they have, takes away what they no longer have.

A step that fails leaves what was served before: a broken handler keeps the old one, and its problem is told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from appsync_events_local.handlers.namespace_handlers import CodeRefused
from appsync_events_local.model.properties import PropertyError
from appsync_events_local.registry.service import Service
from appsync_events_local.registry.store import InUseError, UnknownError
from appsync_events_local.runtime.compiler import compile_module
from appsync_events_local.template import Registration, TemplateApi, TemplateProblem, Templates

CODE: Final = "CodeHandlers"
MEND_PROPERTY: Final = "change the property, or leave this resource out of what is served here"
MEND_CODE: Final = "mend the code; docs/local-events.md says what APPSYNC_JS allows"

_log = logging.getLogger(__name__)
Step = Callable[[], Awaitable[object]]
Key = tuple[str, ...]


class Deployment:
    """What templates have put into a service.

    Args:
        service: where to.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._applied: dict[Key, dict[str, Any]] = {}

    async def apply(self, templates: Templates) -> list[TemplateProblem]:
        """Make the service serve what the templates have now.

        Args:
            templates: if they have problems of their own, nothing is taken away: something may only be unreadable.

        Returns:
            Every problem, those of the templates included; what each of them concerns is served as it was before.
        """
        problems = list(templates.problems)
        for api in templates.apis:
            await self._put_api(api, problems)
        if not templates.problems:
            await self._take_away(_keys(templates), problems)
        return problems

    async def _put_api(self, api: TemplateApi, problems: list[TemplateProblem]) -> None:
        service = self._service
        steps: list[tuple[Key, Registration, Callable[[str, dict[str, Any]], Awaitable[object]]]] = [
            (("api", api.id), api.registration, service.put_api)
        ]
        for kind, registrations, put in (
            ("data source", api.data_sources, service.put_data_source),
            ("key", api.keys, service.put_key),
            ("namespace", api.namespaces, service.put_namespace),
        ):
            steps += [
                ((kind, api.id, name), registration, _named(put, name)) for name, registration in registrations.items()
            ]
        for key, registration, put_it in steps:
            if self._applied.get(key) == registration.body:
                continue
            found = await _problems_of(registration, partial(put_it, api.id, registration.body))
            problems += found
            if not found:
                self._applied[key] = registration.body
            elif key[0] == "api" and api.id not in service.apis:
                problems += [problem for each in api.namespaces.values() for problem in await _problems_of_code(each)]
                return

    async def _take_away(self, wanted: set[Key], problems: list[TemplateProblem]) -> None:
        service = self._service
        deletions = {
            "namespace": service.delete_namespace,
            "key": service.delete_key,
            "data source": service.delete_data_source,
            "api": service.delete_api,
        }
        for kind, delete in deletions.items():
            for key in [key for key in self._applied if key[0] == kind and key not in wanted]:
                try:
                    await delete(*key[1:])  # type: ignore[operator]  # one or two names, as the kind has
                except InUseError as error:
                    _log.error("%s", error)
                    continue
                del self._applied[key]


def _keys(templates: Templates) -> set[Key]:
    keys: set[Key] = set()
    for api in templates.apis:
        keys.add(("api", api.id))
        keys |= {("data source", api.id, name) for name in api.data_sources}
        keys |= {("key", api.id, name) for name in api.keys}
        keys |= {("namespace", api.id, name) for name in api.namespaces}
    return keys


def _named(
    put: Callable[[str, str, dict[str, Any]], Awaitable[object]], name: str
) -> Callable[[str, dict[str, Any]], Awaitable[object]]:
    def put_it(api_id: str, body: dict[str, Any]) -> Awaitable[object]:
        return put(api_id, name, body)

    return put_it


async def _problems_of_code(registration: Registration) -> list[TemplateProblem]:
    """What is wrong with a namespace's code, where its API is refused and nothing else can be said yet."""
    code = registration.body["properties"].get(CODE)
    if not isinstance(code, str):
        return []
    return await _problems_of(registration, partial(asyncio.to_thread, compile_module, code))


async def _problems_of(registration: Registration, step: Step) -> list[TemplateProblem]:
    origin = registration.origin
    try:
        await step()
    except PropertyError as error:
        return [TemplateProblem(origin.file, origin.logical_id, error.path, error.problem, MEND_PROPERTY)]
    except UnknownError as error:
        return [TemplateProblem(origin.file, origin.logical_id, "ApiId", str(error), MEND_PROPERTY)]
    except CodeRefused as refused:
        file, logical_id, path = registration.code_file or origin.file, origin.logical_id, CODE
        if registration.code_file is not None:
            logical_id = path = ""
        return [
            TemplateProblem(file, logical_id, path, problem.message, MEND_CODE, problem.line, problem.column)
            for problem in refused.problems
        ]
    return []
