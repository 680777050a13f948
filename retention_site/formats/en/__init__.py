"""English, as on our own pages: 24 Nov 2026 13:05."""
