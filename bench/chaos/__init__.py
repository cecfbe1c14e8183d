"""Many clients under faults: how many messages are accepted, and whether any is lost, doubled or misplaced."""
