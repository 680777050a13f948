"""Answers from sources: what the shop has written down, found, quoted, checked; nothing from anywhere else."""
