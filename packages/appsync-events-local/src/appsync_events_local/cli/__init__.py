"""The command `appsync-events-local`: arguments, the running instance, `--watch` and `evaluate`."""
