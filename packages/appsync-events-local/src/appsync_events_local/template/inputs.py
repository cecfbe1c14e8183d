"""Reads all templates that the command line names."""

from collections.abc import Iterable
from pathlib import Path

from appsync_events_local.template.files import Stack, read_assembly, read_template
from appsync_events_local.template.problems import TemplateProblem, TemplateRefused
from appsync_events_local.template.reader import Templates, read_apis
from appsync_events_local.template.settings import TemplateSettings


def read_inputs(
    assemblies: Iterable[Path], templates: Iterable[tuple[str | None, Path]], settings: TemplateSettings
) -> Templates:
    """Read assemblies and templates. An unreadable file is one of the reported problems; the others are read.

    Args:
        assemblies: folders of CDK assemblies.
        templates: template files, each with the name of its stack, or `None` to derive it from the file's name.
        settings: values that the templates leave open.
    """
    stacks: list[Stack] = []
    problems: list[TemplateProblem] = []
    for folder in assemblies:
        try:
            stacks += read_assembly(folder)
        except TemplateRefused as refused:
            problems += refused.problems
    for name, file in templates:
        try:
            stacks.append(read_template(file, name))
        except TemplateRefused as refused:
            problems += refused.problems
    result = read_apis(stacks, settings)
    result.problems[:0] = problems
    return result
