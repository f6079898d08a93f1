"""Figures: shapes around (0, 0) that a setting moves to where they belong."""
