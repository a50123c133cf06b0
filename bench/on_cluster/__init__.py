"""Figures of the real cluster, each beside its peers.

The rule: Hatchway is measured first and alone with the same shell straight from the API server;
each peer after it, in the same run and under the same load.
"""
