"""The hour of the day at which each customer tends to read, from what they did when."""
