"""bcryptprimitives.dll: the algorithms below bcrypt.dll; of them, the process's random numbers.

On Windows each process has a generator of its own, seeded by the kernel. Here the kernel's generator answers itself.
"""

from ntos.dll.bcryptprimitives import random

__all__ = ["random"]
