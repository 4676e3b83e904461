"""ui/card."""
