"""How fast messages leave: rates by door and by mailbox provider, and the ramp of a new sender, exact over all workers."""
