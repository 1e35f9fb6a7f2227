"""What the simulator is measured by: its speed, its growth with size and threads, and its accuracy."""

__all__ = ["chaos", "convergence", "direct", "ratios", "records", "scaling", "speed", "threads"]
