"""The mailbox that is looked into: where it is, the connection, and how far it was read."""
