"""The search for a family's parameters."""
