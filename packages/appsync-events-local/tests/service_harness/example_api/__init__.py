"""An example application: a template with an Event API in the manner of the AWS documentation."""

from pathlib import Path

TEMPLATE = Path(__file__).with_name("template.yaml")
