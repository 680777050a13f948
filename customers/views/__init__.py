"""The pages about customers: list, one customer, segments, predictions, imports."""
