"""Commands of the access app."""
