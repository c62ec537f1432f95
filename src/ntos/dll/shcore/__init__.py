"""SHCORE.dll: what of the shell needs no desktop: the splitting of command lines."""

from ntos.dll.shcore import arguments

__all__ = ["arguments"]
