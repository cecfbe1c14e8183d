"""Event APIs read from CloudFormation templates: single files (JSON or YAML) and whole CDK assemblies.

`files` and `code` find templates and assets on disk; `scope` and `intrinsics` work out their values as CloudFormation
would, `names` what resources are called; `reader` turns the result into what the service registers, `functions` and
`tables` into what stands beside it. Whatever cannot be served, or is misspelt (`known_properties`, `checks`), is a
`TemplateProblem` that names file, resource, property and remedy; all of them are reported at once.
"""

from appsync_events_local.template.files import read_assembly, read_template
from appsync_events_local.template.functions import TemplateFunction
from appsync_events_local.template.problems import Origin, TemplateProblem, TemplateRefused
from appsync_events_local.template.reader import Registration, TemplateApi, Templates, read_apis
from appsync_events_local.template.settings import TemplateSettings

__all__ = [
    "Origin",
    "Registration",
    "TemplateApi",
    "TemplateFunction",
    "TemplateProblem",
    "TemplateRefused",
    "TemplateSettings",
    "Templates",
    "read_apis",
    "read_assembly",
    "read_template",
]
