"""Web hooks to other systems, signed as Standard Webhooks says.

`announcing` writes what happened, `fan_out` makes deliveries of it, `sending` sends those that are due; `addresses` and `guarded`
keep requests out of our own network, `signing` and `judging` are arithmetic, `endpoints` is what people change. Who writes what:
triggers of PostgreSQL (migrations named outgoing) for all that is one INSERT or UPDATE, so that no writer can forget it.
"""
