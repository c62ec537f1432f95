"""Who asks: the primary token of the process and, while the thread impersonates, the client's token."""

from __future__ import annotations

from typing import NamedTuple

from ntos.abi.status import STATUS, Denied, NtError
from ntos.ke.thread import Thread
from ntos.ob.types import GenericMapping
from ntos.se.access import PLAIN, Grant, Request, check, parse
from ntos.se.claims import Claims
from ntos.se.token import IMPERSONATE, Client, Token, impersonation_token, primary_token

LEVEL_NAMES = ("SecurityAnonymous", "SecurityIdentification", "SecurityImpersonation", "SecurityDelegation")


class Subject(NamedTuple):
    """SECURITY_SUBJECT_CONTEXT."""

    primary: Token
    client: Client | None = None

    @property
    def token(self) -> Token:
        """The token that counts: the client's while impersonating."""
        return self.client.token if self.client is not None else self.primary

    @property
    def claims(self) -> Claims:
        """What that token says."""
        return self.token.claims


def subject(thread: Thread) -> Subject:
    """The tokens an access check for this thread looks at (SeCaptureSubjectContext)."""
    return Subject(primary_token(thread.process), impersonation_token(thread))


def access_grant(
    who: Subject, descriptor: bytes | None, desired: int, mapping: GenericMapping, request: Request = PLAIN
) -> Grant:
    """Granted access and the privileges used, or NtError(ACCESS_DENIED) saying why."""
    if who.client is not None and who.client.level < IMPERSONATE:
        level = LEVEL_NAMES[who.client.level]
        because = Denied(
            "impersonation level too low",
            {"level": level},
            "impersonate at SecurityImpersonation or above",
        )
        raise NtError(STATUS.BAD_IMPERSONATION_LEVEL, because=because)
    return check(who.claims, parse(descriptor) if descriptor else None, desired, mapping, request)


def access_check(
    who: Subject, descriptor: bytes | None, desired: int, mapping: GenericMapping, *, previously: int = 0
) -> int:
    """The granted access, or NtError(ACCESS_DENIED) saying why (SeAccessCheck)."""
    request = Request(previously=previously) if previously else PLAIN
    return access_grant(who, descriptor, desired, mapping, request).access
