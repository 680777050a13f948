"""The wiring: settings, addresses, workers, roles, the home page, embedded engines, the demo shop."""
