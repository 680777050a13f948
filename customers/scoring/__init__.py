"""What we expect of each customer: labels, estimators, their evaluation, training, scores and reasons."""
