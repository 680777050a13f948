"""Fills an empty shop with the demo shop's life, its campaigns and their results; see docs/demo-shop.md."""
