"""Resolves the values of a template: intrinsic functions, references, and the return values of resources."""
