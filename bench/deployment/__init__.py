"""Benchmarks of the CDK app: synthesis, and the Lambda asset."""
