"""What clients of the local security authority and of the Secondary Logon service say to them: ports and calls.

The port of lsass.exe is Windows' own; the messages (`rtl.marshal`) are ours, as is the name of the service's port:
on Windows the RPC runtime gives its ports names of its own making.
"""

from __future__ import annotations

from typing import Final

LSA_PORT: Final = "\\LsaAuthenticationPort"
SECLOGON_PORT: Final = "\\RPC Control\\SECLOGON"
LSA_FIELDS: Final = 6
"""Logon type, account, domain, password, groups to add (SIDs one after the other), source name."""
LSA_ANSWER_FIELDS: Final = 6
"""Status, sub-status, token handle in the client, and why not: the rule, what it looked at, what would flip it."""
SECLOGON_FIELDS: Final = 13
"""Account, domain, password, token handle, logon flags, program, command line, creation flags, environment, directory,
desktop, title, STARTUPINFOW; texts that are given end in a NUL."""
SECLOGON_ANSWER_FIELDS: Final = 8
"""Error, process and thread handle in the client, their ids, and why not, as above."""
FRAGMENT: Final = 0xE00
"""A call comes in pieces of at most this size, each after a byte that says whether more follow."""
LOGON_WITH_PROFILE: Final = 1
LOGON_NETCREDENTIALS_ONLY: Final = 2
LOGON_ZERO_PASSWORD_BUFFER: Final = 0x8000_0000
"""winbase.h."""
