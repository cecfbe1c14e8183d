"""The change report of a pull request: made without rights from untrusted code, published by trusted code."""
