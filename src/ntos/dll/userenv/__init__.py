"""USERENV.dll: profiles and environments of users."""

from ntos.dll.userenv import profile

__all__ = ["profile"]
