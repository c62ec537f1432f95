"""ole32.dll: the component object model's old door; nearly all of it leads to combase."""

from ntos.dll.ole32 import initialize

__all__ = ["initialize"]
