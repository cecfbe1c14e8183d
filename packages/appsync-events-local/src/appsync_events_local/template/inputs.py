"""All templates that a command line names, read together."""

from collections.abc import Iterable
from pathlib import Path

from appsync_events_local.template.files import Stack, read_assembly, read_template
from appsync_events_local.template.problems import TemplateProblem, TemplateRefused
from appsync_events_local.template.reader import Templates, read_apis
from appsync_events_local.template.settings import TemplateSettings


def read_inputs(
    assemblies: Iterable[Path], templates: Iterable[tuple[str | None, Path]], settings: TemplateSettings
) -> Templates:
    """What they hold. A file that cannot be read is a problem like any other, and hides none.

    Args:
        assemblies: folders.
        templates: files, each with the name of its stack if it is not to be made of the file's.
        settings: what they leave open.
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
