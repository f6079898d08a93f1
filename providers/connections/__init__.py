"""How processes reach PostgreSQL and Valkey, and the signs of life that they leave there."""
