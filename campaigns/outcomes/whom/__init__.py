"""Whom to write to: what a message does to whom, learned from all finished campaigns of a kind."""
