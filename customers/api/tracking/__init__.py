"""The verbs of Segment (identify, track, page, screen, group, alias, batch): its clients deliver here unmodified.

Source: Segment's public "HTTP Tracking API" and "Ecommerce Spec V2". `calls` reads requests, `translating` says in our words
what they mean, `writing` keeps it, `views` are the addresses under /v1/.
"""
