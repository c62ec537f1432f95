"""shell32.dll: the shell's programming interface; of it, what programs without a window use."""

from ntos.dll.shell32 import entry, execute, file_info, file_operation, folders

__all__ = ["entry", "execute", "file_info", "file_operation", "folders"]
