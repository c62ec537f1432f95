"""bcrypt.dll: cryptography by provider and algorithm (CNG); of it, the system's random numbers and its policy."""

from ntos.dll.bcrypt import policy, random

__all__ = ["policy", "random"]
