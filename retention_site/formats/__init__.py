"""How days and times are written where Django itself writes them, such as in the admin."""
