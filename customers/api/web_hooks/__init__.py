"""REST: where other systems are told, and the log of what they were told."""
