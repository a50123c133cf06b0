"""Prepares and runs a demonstration from a fresh clone: `make demo`, `make dev`, `make setup`.

It runs before anything is installed, so it imports the standard library alone. It knows Hatchway
only from outside: as commands, environment variables and one address.
"""
