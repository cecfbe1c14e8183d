"""Care of the stored data: restore, export and erasure of one person, retention."""
