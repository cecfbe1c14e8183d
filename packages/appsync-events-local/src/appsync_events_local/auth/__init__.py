"""Who calls: credentials in, `ctx.identity` out, or a refusal. Every mode is verified for real."""
