"""The learning curve: what a gate that remembers takes over from people, message by message; it changes nothing live."""
