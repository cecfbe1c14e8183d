"""Reads Event APIs from CloudFormation templates: single files (JSON or YAML) and CDK assemblies.

`files` and `code` find templates and assets on disk; `values` resolves intrinsic functions and names of resources;
`reader` produces registrations, `functions` and `tables` the Lambda functions and DynamoDB tables; `deployment`
registers the result with the service. Everything that is not supported or misspelt (`known_properties`, `checks`) is a
`TemplateProblem` with file, resource, property and remedy; all problems are reported at once.
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
