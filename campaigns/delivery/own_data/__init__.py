"""A person's own way to a copy of their data, or to be erased: the wish, the mail with a link, and what the link does."""
