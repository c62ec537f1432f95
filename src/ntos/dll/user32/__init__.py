"""USER32.dll: windows, messages, input. This machine has no display and no input devices.

On Windows its functions ask win32k.sys. What stands here needs no window: facts about the system, message boxes
that only the event stream sees, text. Most string functions are kernelbase's, and lead there.
"""

from ntos.dll.user32 import message_box, metrics, text, windows

__all__ = ["message_box", "metrics", "text", "windows"]
