"""psapi's names, each kernel32's with `K32` before it."""

from __future__ import annotations

from ntos.abi.exports import export_names

FORWARDERS = {entry.name: f"KERNEL32.K32{entry.name}" for entry in export_names("psapi") if entry.name}
"""All of them: psapi has no function of its own any more."""
