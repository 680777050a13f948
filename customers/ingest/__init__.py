"""How customers, orders, products, events and consents come in: COPY into staging, then set-based upserts."""
