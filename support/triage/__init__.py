"""What a conversation is about, how urgent it is, whether it is a complaint: by rules, a trained classifier, a person."""
