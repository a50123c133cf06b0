"""What the screen model may answer instead of a screen."""

from __future__ import annotations


class ScreenError(Exception):
    """The screen model could not do what it was asked."""


class ScreenUnavailable(ScreenError, TimeoutError):
    """There is no exact screen right now; asking again later may give one.

    It is a TimeoutError too, which is all that the session core knows of it.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"The screen is not available ({self.why}); ask again in a moment."


class UnreadableState(ScreenError):
    """The emulator's state has a form that this version does not know."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"The emulator's state cannot be read ({self.what}); install the locked pyghostty."


class BrokenFrame(ScreenError):
    """The other end of the helper's socket sent something that is no frame."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"The screen helper's socket carried a broken frame ({self.what})."


class TooLarge(ScreenError):
    """A screen takes more bytes to draw than a snapshot may have."""
