"""Terminal sessions: the Django app around the session core.

Models hold the durable record, `lifecycle` is the only code that changes a session's state, and
consumers and API only translate. Kubernetes is reached through the ports in `terminal.wiring`.
"""
