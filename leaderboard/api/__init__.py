"""The arena's numbers as JSON, below /api/v1/: what pages show, for programs. See openapi.py."""
