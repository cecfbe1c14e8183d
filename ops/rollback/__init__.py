"""Goes back to the functions and channels of an older revision, if the stored data allows it."""
