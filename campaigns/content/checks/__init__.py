"""The guard-rails, one small function each; `campaigns.content.guardrails` holds the list of them."""
