"""sechost's names that are advapi32's here."""

from __future__ import annotations

FORWARDERS = {
    name: f"ADVAPI32.{name}"
    for name in (
        "ConvertSecurityDescriptorToStringSecurityDescriptorW",
        "ConvertSidToStringSidW",
        "ConvertStringSecurityDescriptorToSecurityDescriptorW",
        "ConvertStringSidToSidW",
    )
}
"""The converters of SIDs and descriptors."""
