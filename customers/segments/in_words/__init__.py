"""A rule in a person's own words: the prompt, what the model may answer, and the tree that comes of it. Never saved by itself."""
