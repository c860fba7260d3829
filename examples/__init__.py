"""What ``make demo`` and ``make dev`` run."""
