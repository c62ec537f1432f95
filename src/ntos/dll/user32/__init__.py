"""USER32.dll: windows and messages. This machine has no display and no input devices.

Its functions ask win32k, or read the heap that win32k shares with every GUI process (`shared`). Message boxes are
seen by the event stream only. Most string functions are kernelbase's, and lead there.
"""

from ntos.dll.user32 import (
    caption,
    classes,
    cursor,
    entry,
    find,
    focus,
    geometry,
    message,
    message_box,
    metrics,
    query,
    station,
    text,
    timer,
    windows,
)

__all__ = [
    "caption", "classes", "cursor", "entry", "find", "focus", "geometry", "message", "message_box", "metrics",
    "query", "station", "text", "timer", "windows",
]  # fmt: skip
