"""Bytes to meaning and back: pure functions, values and small state machines.

Nothing here waits, opens or reads a clock. Everything may be imported by every other package.
"""
