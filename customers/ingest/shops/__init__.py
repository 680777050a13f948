"""Shops that connect by themselves: what their webhooks and APIs say, and how it comes into the tables.

`shopify`, `woocommerce` and `graph` only translate and know no framework; `applying` writes; `receiving` and `deliveries`
take webhooks; `filling` brings in the past over `shopify_api` and `woocommerce_api`.
"""
