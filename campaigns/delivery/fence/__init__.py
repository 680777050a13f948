"""Restored backups do not send: what the database says of itself has to match what is kept outside it."""
