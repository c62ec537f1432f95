"""IPHLPAPI.DLL: network adapters and their addresses. This machine has none."""

from ntos.dll.iphlpapi import adapters

__all__ = ["adapters"]
