"""A rehearsal of how a class of actions earns autonomy and loses it: real desk, gate and statistics, and a cast that acts."""
