"""Registers the content of templates with the service, and deletes what they no longer contain.

A failed registration leaves the earlier one in place: the old handler stays, and the problem is reported.
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
FIX_PROPERTY: Final = "change the property, or remove this resource from the served template"
FIX_CODE: Final = 'fix the code; AppSync Events, "Supported runtime features", lists what APPSYNC_JS allows'

_log = logging.getLogger(__name__)
Step = Callable[[], Awaitable[object]]
Key = tuple[str, ...]


class Deployment:
    """The registrations that templates have made in a service.

    Args:
        service: the service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._applied: dict[Key, dict[str, Any]] = {}

    async def apply(self, templates: Templates) -> list[TemplateProblem]:
        """Bring the service in line with the templates.

        Args:
            templates: if they have problems of their own, nothing is deleted, because a resource may only be
                unreadable.

        Returns:
            Every problem, including those of the templates; the resources concerned are served as before.
        """
        problems = list(templates.problems)
        for api in templates.apis:
            await self._put_api(api, problems)
        if not templates.problems:
            await self._delete_missing(_keys(templates), problems)
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

    async def _delete_missing(self, wanted: set[Key], problems: list[TemplateProblem]) -> None:
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
    """Return the problems of a namespace's code if its API is refused, so that they are reported as well."""
    code = registration.body["properties"].get(CODE)
    if not isinstance(code, str):
        return []
    return await _problems_of(registration, partial(asyncio.to_thread, compile_module, code))


async def _problems_of(registration: Registration, step: Step) -> list[TemplateProblem]:
    origin = registration.origin
    try:
        await step()
    except PropertyError as error:
        return [
            TemplateProblem(origin.file, origin.logical_id, error.path, error.problem, error.remedy or FIX_PROPERTY)
        ]
    except UnknownError as error:
        return [TemplateProblem(origin.file, origin.logical_id, "ApiId", str(error), FIX_PROPERTY)]
    except CodeRefused as refused:
        file, logical_id, path = registration.code_file or origin.file, origin.logical_id, CODE
        if registration.code_file is not None:
            logical_id = path = ""
        return [
            TemplateProblem(file, logical_id, path, problem.message, FIX_CODE, problem.line, problem.column)
            for problem in refused.problems
        ]
    return []
