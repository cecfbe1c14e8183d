"""Benchmarks of the Lambda functions, against a fake AWS with fixed latencies."""
