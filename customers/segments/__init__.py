"""Rules that say which customers are meant: the tree, its SQL, its sentence, and who matches."""
