"""A small Kubernetes for machines without one: its containers are local processes.

It is a program of its own (`python -m democluster`). Nothing imports it, and Hatchway meets it
only through a kubeconfig, like any other cluster. It imports the standard library, aiohttp, PyYAML,
cryptography and `protocol`.
"""
