"""LsaLogonUser, as the local security authority's clients call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ntos.abi.lsa import LSA_ANSWER_FIELDS, LSA_PORT
from ntos.abi.status import Denied, NtError
from ntos.abi.types import NTSTATUS
from ntos.rtl import marshal
from ntos.um import alpc, nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread


async def log_on(
    thread: UserThread, kind: int, name: str, domain: str, password: str, *, extra: bytes = b"", source: str = "Advapi"
) -> int:
    """A handle to the token of a new logon; NtError with lsass's reason."""
    port, _ = await alpc.connect(thread, LSA_PORT)
    try:
        answer = await alpc.call(thread, port, marshal.pack(kind, name, domain, password, extra, source))
    finally:
        nt.NtClose(thread, port)
    status, _, handle, *why = marshal.unpack(answer, LSA_ANSWER_FIELDS)
    if marshal.number(status):
        raise NtError(NTSTATUS(marshal.number(status)), reason(why))
    return marshal.number(handle)


def reason(fields: list[bytes]) -> Denied | None:
    """The rule, its inputs and its flip side of a server's answer."""
    rule, inputs, flip = map(marshal.text, fields)
    return Denied(rule, json.loads(inputs), flip) if rule else None
