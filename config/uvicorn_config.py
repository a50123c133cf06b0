"""The configuration of the uvicorn that serves this process."""

from __future__ import annotations

from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn


def configuration_behind(receive: object) -> Config | None:
    """Return the configuration of the uvicorn that a lifespan channel belongs to; None elsewhere.

    uvicorn asks it for the class of each new connection and has not listened yet when it announces
    the start, so what is changed then holds for all, whichever flags it was started with.
    """
    lifespan = getattr(receive, "__self__", None)
    return lifespan.config if isinstance(lifespan, LifespanOn) else None
