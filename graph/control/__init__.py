"""Time and control: sweeps, notices, veto and undo windows, the stop button."""
