"""The domain doctor: what mailbox providers look up in DNS before they take a shop's mail, looked up before it is sent."""
