"""Double opt-in: the wish, the mail that asks whether it was them, and the yes from that address."""
