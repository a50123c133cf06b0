"""How the tables of targets came to be."""
