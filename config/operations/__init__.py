"""What an operator does to the whole site: back up, restore, prune. It sees every app, so no app can hold it."""
