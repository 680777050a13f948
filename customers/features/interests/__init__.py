"""What each customer is interested in: by what they do, and by what a language model read in what they wrote.

Only `texts` speaks to a model; nothing that delivery imports may import it.
"""

from .favourite import build_interests, choose_families

__all__ = ["build_interests", "choose_families"]
