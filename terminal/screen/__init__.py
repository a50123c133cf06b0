"""The exact screen of each live session.

`house.py` is the server's side: `ScreenHouse` owns one helper process, a `Screen` is fed with a
session's output and gives snapshots. `process.py` is the helper's; it alone may import
`emulator.py`, which alone may import the native library. What lies between them (`wire.py`,
`past.py`, `shortcut.py`, `picture.py`, `native.py`, `drawing.py`) is pure.
"""
