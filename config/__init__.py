"""Ties the knots: settings, addresses, and the one place that knows every other package."""
