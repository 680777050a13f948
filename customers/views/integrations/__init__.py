"""Web hooks to other systems, and what was refused on the way in. The overview of both is `retention_site.integrations`."""
