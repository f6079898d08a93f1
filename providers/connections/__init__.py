"""How processes reach PostgreSQL and Valkey, the signs of life they leave there, and whose clock is wrong."""
