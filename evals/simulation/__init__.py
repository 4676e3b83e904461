"""Simulation: streams of actions played through the gate's own decision code, to see what settings would do; it runs nothing.

What decides is what decides at a desk: `judged` and `draw` of `assent.graph.autonomy`, `certify`, `fit_head`, the monitor, the
ladder and the reviewers' rules of `assent.evals`. Only the stream and the people are made up (or recorded).
"""
