"""Whom a server may become: the client's token, captured at connect, with a message, or as a context of its own.

The quality of service the client names is the limit: at SecurityAnonymous the server learns nothing, at
SecurityIdentification it may look, from SecurityImpersonation on it may act. A server without
SeImpersonatePrivilege gets another user's token for identification only (PsImpersonateClient).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.alpc import (
    ALPC_IMPERSONATEFLG_ANONYMOUS,
    ALPC_IMPERSONATEFLG_REQUIRE_IMPERSONATE,
    ALPC_PORFLG_ALLOW_IMPERSONATION,
    LPC_NO_IMPERSONATE,
)
from ntos.abi.layout.alpc_parts import KALPC_SECURITY_DATA
from ntos.abi.layout.token import SECURITY_QUALITY_OF_SERVICE
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.rtl import sid as sids
from ntos.se import token as tokens
from ntos.se import well_known
from ntos.se.subject import LEVEL_NAMES, subject
from ntos.se.token import DELEGATION, IDENTIFICATION, IMPERSONATION, Token

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.ke.thread import Thread
    from ntos.lpc.message import Message
    from ntos.lpc.port import Port

TAG = b"AlSe"


class SecurityData:
    """A captured client: KALPC_SECURITY_DATA at `address`, and a reference to the token."""

    def __init__(self, port: Port, token: Token, quality: SECURITY_QUALITY_OF_SERVICE) -> None:
        """Takes over the caller's reference to `token`."""
        self.kernel = port.kernel
        self.address = self.kernel.pool.allocate(KALPC_SECURITY_DATA.size, TAG, paged=True)
        self.view = KALPC_SECURITY_DATA(self.kernel.memory, self.address)
        self.view.OwnerPort = port.address
        self.view.OwningProcess = int(port.view.OwnerProcess)
        context = self.view.DynamicSecurity
        context.SecurityQos.assign(quality)
        context.ClientToken = token.address
        context.DirectlyAccessClientToken = int(bool(quality.ContextTrackingMode))
        context.DirectAccessEffectiveOnly = int(quality.EffectiveOnly)
        self.port = port
        self.token = token
        self.level = int(quality.ImpersonationLevel)
        self.effective_only = bool(quality.EffectiveOnly)
        self.users = 1

    def hold(self) -> SecurityData:
        """One user more."""
        self.users += 1
        return self

    def release(self) -> None:
        """One user less; the last gives the token back."""
        self.users -= 1
        if not self.users:
            ob.dereference(self.token)
            self.kernel.pool.free(self.address)

    def delete(self) -> None:
        """Its handle is closed (NtAlpcDeleteSecurityContext); messages under way keep it."""
        if self in self.port.owned:
            self.port.owned.remove(self)
            self.port.link.handles.remove(int(self.view.ContextHandle))
            self.view.ContextHandle = 0
            self.release()


def read_quality(memory: Memory, address: int) -> SECURITY_QUALITY_OF_SERVICE:
    """A SECURITY_QUALITY_OF_SERVICE of a program's. BAD_IMPERSONATION_LEVEL for a level nobody knows."""
    quality = SECURITY_QUALITY_OF_SERVICE.parse(memory.read(address, SECURITY_QUALITY_OF_SERVICE.size))
    return check_quality(quality)


def check_quality(quality: SECURITY_QUALITY_OF_SERVICE) -> SECURITY_QUALITY_OF_SERVICE:
    """The same quality, if its level is one."""
    if int(quality.ImpersonationLevel) > DELEGATION:
        raise NtError(STATUS.BAD_IMPERSONATION_LEVEL)
    return quality


def capture(thread: Thread, port: Port, quality: SECURITY_QUALITY_OF_SERVICE) -> SecurityData:
    """The thread's client as a server may see it (SeCreateClientSecurity): static tracking copies the token.

    BAD_IMPERSONATION_LEVEL where the thread itself impersonates less than it offers.
    """
    who, level = subject(thread), int(quality.ImpersonationLevel)
    if who.client is not None and level > who.client.level:
        raise NtError(
            STATUS.BAD_IMPERSONATION_LEVEL,
            because=Denied(
                "nobody lends more than was lent",
                {"impersonated at": LEVEL_NAMES[who.client.level], "offered": LEVEL_NAMES[level]},
                f"ask for {LEVEL_NAMES[who.client.level]}, or stop impersonating",
            ),
        )
    if quality.ContextTrackingMode:
        token = who.token
        ob.reference(token)
    else:
        token = tokens.duplicate(who.token, IMPERSONATION, level, effective_only=bool(quality.EffectiveOnly))
    return SecurityData(port, token, quality)


def capture_static(thread: Thread, port: Port) -> None:
    """Keep who connects with the port, unless each message is to say who sends it."""
    if not _allows(port) or port.view.u1.s1.DynamicSecurity:
        return
    quality = port.view.PortAttributes.SecurityQos
    port.static_security = capture(thread, port, quality)
    port.view.StaticSecurity.assign(port.static_security.view.DynamicSecurity)


def capture_dynamic(thread: Thread, message: Message) -> None:
    """Keep who sends with the message, where the port tracks its client."""
    port = message.owner
    if message.security is None and _allows(port) and port.view.u1.s1.DynamicSecurity:
        attach(message, capture(thread, port, port.view.PortAttributes.SecurityQos))


def attach(message: Message, data: SecurityData) -> None:
    """Let a message carry a context; takes over the caller's use of it."""
    message.security = data
    message.view.MessageAttributes.SecurityData = data.address


def _allows(port: Port) -> bool:
    return port.is_lpc or bool(port.flags & ALPC_PORFLG_ALLOW_IMPERSONATION)


def of_message(message: Message) -> SecurityData | None:
    """The context that counts for a message: its own, else its port's."""
    return message.security or message.owner.static_security


def impersonate_client(thread: Thread, message: Message, flags: int = 0) -> None:
    """Let a server's thread become the sender. CANNOT_IMPERSONATE where the client does not let it."""
    if flags & ALPC_IMPERSONATEFLG_ANONYMOUS:
        nobody = well_known.anonymous(thread.kernel)
        tokens.impersonate(thread, nobody)
        ob.dereference(nobody)
        return
    data = of_message(message)
    if data is None or data.view.Revoked or int(message.view.PortMessage.u2.s2.Type) & LPC_NO_IMPERSONATE:
        raise NtError(
            STATUS.CANNOT_IMPERSONATE,
            because=Denied(
                "a server becomes its client only where the client lets it",
                {
                    "port allows it": _allows(message.owner),
                    "revoked": bool(data is not None and data.view.Revoked),
                    "message forbids it": bool(int(message.view.PortMessage.u2.s2.Type) & LPC_NO_IMPERSONATE),
                },
                "connect with ALPC_PORFLG_ALLOW_IMPERSONATION, send without LPC_NO_IMPERSONATE",
            ),
        )
    required = flags >> 2 & 3
    if flags & ALPC_IMPERSONATEFLG_REQUIRE_IMPERSONATE and data.level < required:
        raise NtError(
            STATUS.BAD_IMPERSONATION_LEVEL,
            because=Denied(
                "the client allows less than the server requires",
                {"allowed": LEVEL_NAMES[data.level], "required": LEVEL_NAMES[required]},
                f"connect with {LEVEL_NAMES[required]}",
            ),
        )
    data.view.Impersonated = 1
    _become(thread, data)


def _become(thread: Thread, data: SecurityData) -> None:
    level = data.level
    own = tokens.primary_token(thread.process).claims
    stranger = data.token.claims.user != own.user or data.token.claims.level > own.level
    if level > IDENTIFICATION and stranger and not own.holds(SE_PRIVILEGE.IMPERSONATE):
        level = IDENTIFICATION
    token = data.token
    if token.is_primary or token.level > level or data.effective_only:
        copy = tokens.duplicate(token, IMPERSONATION, level, effective_only=data.effective_only)
        tokens.impersonate(thread, copy, level)
        ob.dereference(copy)
    else:
        tokens.impersonate(thread, token, level)


def check_server(server: Port, wanted: bytes) -> None:
    """SERVER_SID_MISMATCH unless the port's owner is this user."""
    found = tokens.primary_token(server.owner).claims.user
    if found != wanted:
        raise NtError(
            STATUS.SERVER_SID_MISMATCH,
            because=Denied(
                "the server is not who the client wants to talk to",
                {"server": sids.to_text(found), "wanted": sids.to_text(wanted)},
                f"connect requiring {sids.to_text(found)}, or nobody in particular",
            ),
        )
