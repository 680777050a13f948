"""The REST API over customers, orders, events and segments, and what all of the API shares."""
