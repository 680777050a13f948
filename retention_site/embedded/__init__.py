"""Engines that come as wheels and run as children of one owner: PostgreSQL, Valkey, mail catcher, local model.

Nothing in this package imports Django: the engines stand before the settings are read.
"""
