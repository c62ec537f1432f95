"""combase.dll: the component object model's base; of it, the task allocator (the process heap) and apartments."""

from ntos.dll.combase import allocator, apartment, instance

__all__ = ["allocator", "apartment", "instance"]
