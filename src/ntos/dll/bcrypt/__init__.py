"""bcrypt.dll: cryptography by provider and algorithm (CNG); of it, the system's random numbers."""

from ntos.dll.bcrypt import random

__all__ = ["random"]
