"""Lets people into live campaigns: who may is found by `campaigns.audience.entrants`, here they get their rows."""
