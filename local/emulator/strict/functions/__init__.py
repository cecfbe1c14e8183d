"""Lambda under strict rules: payloads, retries, duplicates, frozen processes."""
