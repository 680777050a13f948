"""Changes to a campaign that runs: prepared beside it, tried out, approved by a second person, put in force at one moment."""
