"""Measures: functions that read from a template the values that a service limit bounds.

References to other resources have no value yet. `rendered` replaces them by texts of the length that AWS's values have
at most, so that the size of a policy or a name is not underestimated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Template = Mapping[str, Any]
Value = int | float | str

_REFERENCES: Final = {"AWS::Partition": "aws", "AWS::Region": "ap-southeast-2", "AWS::AccountId": "0" * 12}
_ARN: Final = "arn:aws:service:ap-southeast-2:000000000000:" + "x" * 76
_ID: Final = "x" * 26  # the longest generated ids: those of the Event API and of an app client


@dataclass(frozen=True)
class Subject:
    """A resource of a template, or with an empty `logical_id` the template itself."""

    template: Template
    logical_id: str
    properties: Mapping[str, Any]

    def others(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """Yield the properties of every resource of a type in the same template."""
        for resource in self.template.get("Resources", {}).values():
            if resource["Type"] == kind:
                yield resource.get("Properties", {})

    def referenced(self, value: Any) -> Mapping[str, Any]:
        """Return the properties of the resource of this template that a value refers to; empty if there is none."""
        match value:
            case {"Ref": name} | {"Fn::GetAtt": [name, _]}:
                found: Mapping[str, Any] = self.template.get("Resources", {}).get(name, {}).get("Properties", {})
                return found
        return {}


Measure = Callable[[Subject], Iterator[Value]]


def rendered(value: Any) -> Any:
    """Return a value of a template with every reference replaced by a text."""
    match value:
        case {"Ref": str(name)}:
            return _REFERENCES.get(name, _ID)
        case {"Fn::GetAtt": [_, str(attribute)]}:
            return _ARN if attribute.endswith("Arn") else _ID
        case {"Fn::ImportValue": _}:
            return _ARN
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(rendered(part)) for part in parts)
        case dict():
            return {key: rendered(item) for key, item in value.items()}
        case list():
            return [rendered(item) for item in value]
    return value


def compact(value: Any) -> str:
    """Return a value as JSON without whitespace; IAM does not count whitespace."""
    return json.dumps(rendered(value), separators=(",", ":"), ensure_ascii=False)


def found(properties: Any, path: str) -> Iterator[Any]:
    """Yield the values at a dotted path; `[]` after a name stands for every item of a list."""
    head, _, rest = path.partition(".")
    value = properties.get(head.removesuffix("[]")) if isinstance(properties, Mapping) else None
    if value is None:
        return
    for item in value if head.endswith("[]") else [value]:
        if rest:
            yield from found(item, rest)
        else:
            yield item


def number(path: str) -> Measure:
    """Measure the numbers at a path."""

    def measure(subject: Subject) -> Iterator[Value]:
        for value in found(subject.properties, path):
            if not isinstance(value, dict):  # a reference has no value yet
                yield value if isinstance(value, float) else int(value)

    return measure


def text(path: str) -> Measure:
    """Measure the texts at a path, for a pattern."""
    return lambda subject: (str(rendered(value)) for value in found(subject.properties, path))


def characters(path: str) -> Measure:
    """Measure the length of the texts at a path."""
    return lambda subject: (len(str(rendered(value))) for value in found(subject.properties, path))


def count(path: str) -> Measure:
    """Measure the number of items of the lists or objects at a path."""
    return lambda subject: (len(value) for value in found(subject.properties, path))


def total(path: str) -> Measure:
    """Measure the number of all values at a path with lists."""
    return lambda subject: iter([sum(1 for _ in found(subject.properties, path))])


def json_characters(path: str) -> Measure:
    """Measure the length of the documents at a path as JSON without whitespace."""
    return lambda subject: (len(compact(value)) for value in found(subject.properties, path))


def same(kind: str, path: str) -> Measure:
    """Measure in a template how many resources of a type have the same value at a path, for example the same API."""

    def measure(subject: Subject) -> Iterator[Value]:
        counts: dict[str, int] = {}
        for properties in subject.others(kind):
            for value in found(properties, path):
                counts[compact(value)] = counts.get(compact(value), 0) + 1
        yield from counts.values()

    return measure


def section(name: str) -> Measure:
    """Measure the number of entries in a section of a template."""
    return lambda subject: iter([len(subject.template.get(name, {}))])


def template_bytes(subject: Subject) -> Iterator[Value]:
    """Measure the size of a template as the CDK writes it, indented by one space."""
    yield len(json.dumps(subject.template, indent=1).encode())


def output_texts(key: str) -> Measure:
    """Measure the texts of every output: its id, its description or the name of its export."""

    def measure(subject: Subject) -> Iterator[Value]:
        for name, output in subject.template.get("Outputs", {}).items():
            if key == "id":
                yield name
            else:
                yield from (str(rendered(value)) for value in found(output, key))

    return measure


def logical_ids(subject: Subject) -> Iterator[Value]:
    """Measure the logical ids of a template's resources."""
    yield from subject.template.get("Resources", {})


def tags(subject: Subject) -> Iterator[Value]:
    """Measure the number of a resource's own tags."""
    yield len(subject.properties.get("Tags", []))


def alarm_metrics(subject: Subject) -> Iterator[Value]:
    """Measure how many metrics an alarm with metric math reads; its expressions do not count."""
    yield sum("MetricStat" in query for query in subject.properties.get("Metrics", []))


def alarm_window(subject: Subject) -> Iterator[Value]:
    """Measure the evaluation window of an alarm in seconds."""
    periods = [
        *found(subject.properties, "Period"),
        *found(subject.properties, "Metrics[].Period"),
        *found(subject.properties, "Metrics[].MetricStat.Period"),
    ]
    yield max(periods, default=0) * subject.properties.get("EvaluationPeriods", 1)


def _widgets(subject: Subject) -> list[Any]:
    widgets: list[Any] = json.loads(str(rendered(subject.properties["DashboardBody"])))["widgets"]
    return widgets


def dashboard_widgets(subject: Subject) -> Iterator[Value]:
    """Measure the number of widgets of a dashboard."""
    yield len(_widgets(subject))


def widget_metrics(subject: Subject) -> Iterator[Value]:
    """Measure the number of metrics of each widget of a dashboard."""
    for widget in _widgets(subject):
        yield len(widget.get("properties", {}).get("metrics", []))


def dashboard_metrics(subject: Subject) -> Iterator[Value]:
    """Measure the number of metrics of a dashboard."""
    yield sum(int(each) for each in widget_metrics(subject))


def role_policies(subject: Subject) -> Iterator[Value]:
    """Measure the size of all inline policies of a role, also of those that are resources of their own."""
    documents = list(found(subject.properties, "Policies[].PolicyDocument"))
    for policy in subject.others("AWS::IAM::Policy"):
        if {"Ref": subject.logical_id} in policy.get("Roles", []):
            documents.append(policy["PolicyDocument"])
    yield sum(len(compact(document)) for document in documents)


def environment_bytes(subject: Subject) -> Iterator[Value]:
    """Measure the size of a function's environment variables, names and values."""
    for variables in found(subject.properties, "Environment.Variables"):
        yield sum(len(f"{name}{rendered(value)}".encode()) for name, value in variables.items())


def batch_without_window(subject: Subject) -> Iterator[Value]:
    """Measure the batch size of a queue's event source mapping without a batching window."""
    is_stream = "StartingPosition" in subject.properties
    if not is_stream and not subject.properties.get("MaximumBatchingWindowInSeconds"):
        yield subject.properties.get("BatchSize", 10)


def visibility_per_timeout(subject: Subject) -> Iterator[Value]:
    """Measure a source queue's visibility timeout in multiples of its function's timeout."""
    queue = subject.referenced(subject.properties.get("EventSourceArn"))
    function = subject.referenced(subject.properties.get("FunctionName"))
    if "QueueName" in queue and "Timeout" in function:
        yield queue.get("VisibilityTimeout", 30) / function["Timeout"]


_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


def token_seconds(token: str, default_unit: str) -> Measure:
    """Measure the validity of a kind of token of an app client in seconds."""

    def measure(subject: Subject) -> Iterator[Value]:
        units = subject.properties.get("TokenValidityUnits", {})
        for validity in found(subject.properties, f"{token}Validity"):
            yield int(validity) * _SECONDS[units.get(token, default_unit)]

    return measure
