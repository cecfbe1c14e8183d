"""Security policy of the stacks: permissions, IAM statements, ARNs, and cdk-nag rules with acknowledgements."""
