"""Authorisation: verifies the credentials of all five modes and returns `ctx.identity`, or refuses the operation."""
