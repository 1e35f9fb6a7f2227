"""What the simulator is measured by: its speed, its growth with size and threads, and its accuracy."""

__all__ = ["chaos", "convergence", "direct", "records", "scaling", "speed", "threads"]
