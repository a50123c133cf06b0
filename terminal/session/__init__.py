"""The session core: one exec stream, one owner, many viewers, on asyncio alone.

It knows no Django, no Channels and no Kubernetes; what it needs of them it declares in `ports`.
"""
