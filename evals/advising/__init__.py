"""Advice: which oversight mode the evidence allows for each type of actions, and what each mode costs; it changes nothing."""
