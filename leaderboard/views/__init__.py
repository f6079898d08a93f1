"""Pages that see everything, a file per noun."""
