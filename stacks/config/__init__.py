"""Settings of the environments: their fields, the reader of TOML tables, and the loader of environments/*.toml."""
