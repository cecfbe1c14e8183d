"""The model of an Event API, read from CloudFormation properties; refuses unsupported properties with their path."""
