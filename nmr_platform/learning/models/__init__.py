"""Model families: one file a family."""
