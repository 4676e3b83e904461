"""The ladder: what a class of actions has to show for its next level, who signs it up, and what is on offer."""
