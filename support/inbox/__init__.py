"""What comes in: conversations tied to their customers, their clock, their states, and the hold on promotions."""
