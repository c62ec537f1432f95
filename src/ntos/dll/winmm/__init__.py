"""WINMM.dll: multimedia; of it, the millisecond clock and the wish for a finer one."""

from ntos.dll.winmm import time

__all__ = ["time"]
