"""Settings, Integrations and API keys: the overview of what comes in and whom we tell, and the keys."""
