"""The exact screen of each live session.

`house.py` and `screen.py` are the server's side: `ScreenHouse` owns one helper process, a `Screen`
is fed with a session's output and gives snapshots. `process.py` is the helper's; it alone imports
`emulator.py`, which alone imports the native library. What lies
between them is pure: `wire.py`, `past.py` and `shortcut.py`; `native.py` and `compact.py` for the
library's format; `picture.py`, `cells.py`, `rows.py` and `drawing.py` for what is seen.
"""
