"""The state machine and what decides: agent, gate, policy, confidence, queue, decisions; it never imports `ui` or `evals`."""
