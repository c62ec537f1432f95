"""combase.dll: the component object model's base; of it, the task allocator, which is the process heap."""

from ntos.dll.combase import allocator

__all__ = ["allocator"]
