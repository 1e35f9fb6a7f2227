"""What the held-out part says of tuned models."""
