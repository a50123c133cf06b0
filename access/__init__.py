"""Who may, and who did: accounts, grants, tickets, the guard of every socket, and the audit trail.

It knows nothing of terminals and nothing of Kubernetes; every other Django app builds on it.
"""
