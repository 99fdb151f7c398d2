"""What every analysis that can be asked for shares: its description, its work, its jobs."""
