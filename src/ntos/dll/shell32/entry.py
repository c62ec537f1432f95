"""Names that lead to SHCORE."""

from __future__ import annotations

FORWARDERS = {"CommandLineToArgvW": "SHCORE.CommandLineToArgvW"}
