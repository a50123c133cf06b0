"""Measure a running Hatchway from outside, as its people meet it, and compare with its budgets.

The rule: a figure is measured or it is missing, and then the machine is told what it lacks; nothing
here is imported by the product.
"""
