"""Secur32.dll: authentication packages, and names of the user in many formats; of it, the names."""

from ntos.dll.secur32 import names

__all__ = ["names"]
