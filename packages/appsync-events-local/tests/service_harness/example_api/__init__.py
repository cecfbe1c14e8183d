"""A template that is none of this repository's own, and what is known of it."""

from pathlib import Path

TEMPLATE = Path(__file__).with_name("template.yaml")
