"""The CDK stacks and what they are made from: settings, names, rights, constructs and the Lambda package."""
