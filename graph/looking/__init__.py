"""What people are shown: queue, cards, history, tasks and conversations."""
