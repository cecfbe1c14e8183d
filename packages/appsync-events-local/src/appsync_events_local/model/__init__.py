"""The model of an Event API, read from CloudFormation properties; unsupported properties are refused with their path."""
