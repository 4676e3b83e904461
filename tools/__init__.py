"""What an action is and declares, and the tools that come with Assent; it never imports `graph`."""
