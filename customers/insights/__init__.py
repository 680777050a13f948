"""Read-only figures about customers: retention, cohorts, who is at risk, one person's time line."""
