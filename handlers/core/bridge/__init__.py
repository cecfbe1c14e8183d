"""The bridge to the old Socket.IO server, for the time in which both serve users on the same tables.

Messages that the old server has stored get sequence numbers and outbox records, so that new clients receive them
(`numbering`). Messages that the backend has stored are queued for the old server, which emits them (`forwarding`).
"""
