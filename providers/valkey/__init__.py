"""Our connections to Valkey, and the signs of life that processes leave there."""
