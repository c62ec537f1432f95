"""USER32.dll: windows, messages, input. This machine has no display and no input devices.

On Windows its functions ask win32k.sys. What stands here needs no window: facts about the system. String functions
are kernelbase's, and lead there.
"""

from ntos.dll.user32 import metrics

__all__ = ["metrics"]
