"""What we know of each customer as of a date: the catalogue of features, the reader and the builder."""
