"""The size of a terminal, and what counts as a sane one."""

from __future__ import annotations

from dataclasses import dataclass

MIN_COLS, MAX_COLS = 2, 500
MIN_ROWS, MAX_ROWS = 2, 300


@dataclass(frozen=True, slots=True)
class Size:
    """Columns and rows, in that order, both counted in cells."""

    cols: int
    rows: int

    def __str__(self) -> str:
        return f"{self.cols}×{self.rows}"

    def clamped(self) -> Size:
        """Return this size forced into the supported range (2-500 columns, 2-300 rows)."""
        return Size(
            min(max(self.cols, MIN_COLS), MAX_COLS), min(max(self.rows, MIN_ROWS), MAX_ROWS)
        )


DEFAULT_SIZE = Size(80, 24)
