"""The names of well-known SIDs, as LookupAccountSid gives them on an English system."""

from __future__ import annotations

import enum
from typing import NamedTuple

from ntos.rtl import sid
from ntos.rtl.text import upcase


class SidUse(enum.IntEnum):
    """What a SID stands for (SID_NAME_USE)."""

    USER = 1
    GROUP = 2
    DOMAIN = 3
    ALIAS = 4
    WELL_KNOWN_GROUP = 5
    DELETED_ACCOUNT = 6
    INVALID = 7
    UNKNOWN = 8
    COMPUTER = 9
    LABEL = 10
    LOGON_SESSION = 11


class Account(NamedTuple):
    """A domain, a name in it, and what they stand for."""

    domain: str
    name: str
    use: SidUse


def _known(domain: str, use: SidUse, names: dict[bytes, str]) -> dict[bytes, Account]:
    return {value: Account(domain, name, use) for value, name in names.items()}


_ALIASES = {
    544: "Administrators",
    545: "Users",
    546: "Guests",
    547: "Power Users",
    548: "Account Operators",
    549: "Server Operators",
    550: "Print Operators",
    551: "Backup Operators",
    552: "Replicator",
    555: "Remote Desktop Users",
    556: "Network Configuration Operators",
    558: "Performance Monitor Users",
    559: "Performance Log Users",
    562: "Distributed COM Users",
    568: "IIS_IUSRS",
    569: "Cryptographic Operators",
    573: "Event Log Readers",
    578: "Hyper-V Administrators",
    579: "Access Control Assistance Operators",
    580: "Remote Management Users",
}

ACCOUNTS: dict[bytes, Account] = {
    **_known(
        "",
        SidUse.WELL_KNOWN_GROUP,
        {
            sid.NULL: "NULL SID",
            sid.WORLD: "Everyone",
            sid.LOCAL: "LOCAL",
            sid.CONSOLE_LOGON: "CONSOLE LOGON",
            sid.CREATOR_OWNER: "CREATOR OWNER",
            sid.CREATOR_GROUP: "CREATOR GROUP",
            sid.OWNER_RIGHTS: "OWNER RIGHTS",
        },
    ),
    **_known(
        "NT AUTHORITY",
        SidUse.WELL_KNOWN_GROUP,
        {
            sid.DIALUP: "DIALUP",
            sid.NETWORK: "NETWORK",
            sid.BATCH: "BATCH",
            sid.INTERACTIVE: "INTERACTIVE",
            sid.SERVICE: "SERVICE",
            sid.ANONYMOUS: "ANONYMOUS LOGON",
            sid.PRINCIPAL_SELF: "SELF",
            sid.AUTHENTICATED_USERS: "Authenticated Users",
            sid.RESTRICTED: "RESTRICTED",
            sid.TERMINAL_SERVER_USER: "TERMINAL SERVER USER",
            sid.REMOTE_INTERACTIVE: "REMOTE INTERACTIVE LOGON",
            sid.THIS_ORGANIZATION: "This Organization",
            sid.LOCAL_SYSTEM: "SYSTEM",
            sid.LOCAL_SERVICE: "LOCAL SERVICE",
            sid.NETWORK_SERVICE: "NETWORK SERVICE",
            sid.WRITE_RESTRICTED: "WRITE RESTRICTED",
            sid.LOCAL_ACCOUNT: "Local account",
            sid.LOCAL_ACCOUNT_AND_ADMINISTRATOR: "Local account and member of Administrators group",
            sid.NTLM_AUTHENTICATION: "NTLM Authentication",
        },
    ),
    **_known("BUILTIN", SidUse.ALIAS, {sid.make(5, 32, rid): name for rid, name in _ALIASES.items()}),
    sid.BUILTIN: Account("BUILTIN", "BUILTIN", SidUse.DOMAIN),
    **_known(
        "NT SERVICE",
        SidUse.WELL_KNOWN_GROUP,
        {sid.ALL_SERVICES: "ALL SERVICES", sid.TRUSTED_INSTALLER: "TrustedInstaller"},
    ),
    **_known(
        "APPLICATION PACKAGE AUTHORITY",
        SidUse.WELL_KNOWN_GROUP,
        {
            sid.ALL_APPLICATION_PACKAGES: "ALL APPLICATION PACKAGES",
            sid.ALL_RESTRICTED_APPLICATION_PACKAGES: "ALL RESTRICTED APPLICATION PACKAGES",
        },
    ),
    **_known(
        "Mandatory Label",
        SidUse.LABEL,
        {
            sid.UNTRUSTED_LABEL: "Untrusted Mandatory Level",
            sid.LOW_LABEL: "Low Mandatory Level",
            sid.MEDIUM_LABEL: "Medium Mandatory Level",
            sid.MEDIUM_PLUS_LABEL: "Medium Plus Mandatory Level",
            sid.HIGH_LABEL: "High Mandatory Level",
            sid.SYSTEM_LABEL: "System Mandatory Level",
            sid.PROTECTED_PROCESS_LABEL: "Protected Process Mandatory Level",
        },
    ),
}
"""Every account that exists on all systems, by SID."""


def lookup_sid(value: bytes) -> Account | None:
    """The account of a well-known SID, or None."""
    return ACCOUNTS.get(bytes(value))


def lookup_name(name: str) -> bytes | None:
    r"""The SID of a well-known account, named `SYSTEM` or `NT AUTHORITY\SYSTEM`, or None."""
    domain, backslash, account = name.rpartition("\\")
    for value, known in ACCOUNTS.items():
        if upcase(known.name) == upcase(account) and (
            not backslash or upcase(known.domain) == upcase(domain)
        ):
            return value
    return None
