"""ntos: the Windows process subsystem, in Python."""
