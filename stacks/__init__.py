"""The CDK stacks of the backend, with their settings, constructs, security policy, monitoring and Lambda package."""
