"""powrprof.dll: power management. The machine never sleeps: who asks to be told is never told."""

from ntos.dll.powrprof import information, notification

__all__ = ["information", "notification"]
