"""Tokens: open, ask, change, copy, impersonate (securitybaseapi.h, processthreadsapi.h)."""

from __future__ import annotations

import struct

from ntos.abi.access import TOKEN_DUPLICATE, TOKEN_IMPERSONATE, TOKEN_QUERY
from ntos.abi.errors import ERROR
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.ob import CURRENT_PROCESS, CURRENT_THREAD
from ntos.abi.pointer import Out, Ptr
from ntos.abi.se import SE_GROUP_ENABLED, SE_GROUP_USE_FOR_DENY_ONLY, TOKEN_INFORMATION_CLASS
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID
from ntos.dll.kernelbase.objects import attributes, new_handle
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.sid import read_sid
from ntos.rtl.error import nt_status_to_dos_error
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import Frame, UserThread

THREAD_IMPERSONATION_TOKEN = 5
TOKEN_PRIMARY, TOKEN_IMPERSONATION = 1, 2
SECURITY_IMPERSONATION = 2
ROOM = 0x2000


async def token_information(thread: UserThread, token: int, kind: int) -> bytes:
    """The answer of a class; addresses in it lead to a place that is gone, so read SIDs with `token_sids`."""
    with thread.frame() as frame:
        place, length = frame.allocate(ROOM), frame.allocate(8)
        await nt.NtQueryInformationToken(thread, token, kind, place, ROOM, length)
        return thread.memory.read(place, int.from_bytes(thread.memory.read(length, 4), "little"))


async def token_sids(thread: UserThread, token: int, kind: int) -> list[tuple[bytes, int]]:
    """SIDs and attributes: one of TokenUser, or all of TokenGroups."""
    with thread.frame() as frame:
        place, length = frame.allocate(ROOM), frame.allocate(8)
        await nt.NtQueryInformationToken(thread, token, kind, place, ROOM, length)
        first, count = place, 1
        if kind != TOKEN_INFORMATION_CLASS.TokenUser:
            first, count = place + 8, int.from_bytes(thread.memory.read(place, 4), "little")
        rows = struct.iter_unpack("<QI4x", thread.memory.read(first, 16 * count))
        return [(read_sid(thread, address), flags) for address, flags in rows]


async def effective_token(thread: UserThread, access: int) -> int:
    """A handle to the thread's token, or its process's."""
    with thread.frame() as frame:
        place = new_handle(frame)
        try:
            await nt.NtOpenThreadToken(thread, CURRENT_THREAD, access, 1, place.address)
        except NtError as error:
            if error.status != STATUS.NO_TOKEN:
                raise
            await nt.NtOpenProcessToken(thread, CURRENT_PROCESS, access, place.address)
        return int(place.read())


@export
async def OpenProcessToken(
    thread: UserThread, ProcessHandle: HANDLE, DesiredAccess: DWORD, TokenHandle: Ptr[HANDLE]
) -> BOOL:
    """A handle to a process's token."""
    await nt.NtOpenProcessToken(thread, ProcessHandle, DesiredAccess, TokenHandle.address)
    return BOOL(1)


@export
async def OpenThreadToken(
    thread: UserThread, ThreadHandle: HANDLE, DesiredAccess: DWORD, OpenAsSelf: BOOL, TokenHandle: Ptr[HANDLE]
) -> BOOL:
    """A handle to the token a thread impersonates with."""
    as_self = int(OpenAsSelf != 0)
    await nt.NtOpenThreadToken(thread, ThreadHandle, DesiredAccess, as_self, TokenHandle.address)
    return BOOL(1)


@export
async def GetTokenInformation(
    thread: UserThread,
    TokenHandle: HANDLE,
    TokenInformationClass: DWORD,
    TokenInformation: PVOID,
    TokenInformationLength: DWORD,
    ReturnLength: Ptr[DWORD],
) -> BOOL:
    """What a token says of its bearer."""
    await nt.NtQueryInformationToken(
        thread, TokenHandle, TokenInformationClass, TokenInformation, TokenInformationLength, ReturnLength.address
    )
    return BOOL(1)


@export
async def SetTokenInformation(
    thread: UserThread,
    TokenHandle: HANDLE,
    TokenInformationClass: DWORD,
    TokenInformation: PVOID,
    TokenInformationLength: DWORD,
) -> BOOL:
    """Change what a token says."""
    await nt.NtSetInformationToken(thread, TokenHandle, TokenInformationClass, TokenInformation, TokenInformationLength)
    return BOOL(1)


@export
async def AdjustTokenPrivileges(
    thread: UserThread,
    TokenHandle: HANDLE,
    DisableAllPrivileges: BOOL,
    NewState: PVOID,
    BufferLength: DWORD,
    PreviousState: PVOID,
    ReturnLength: PVOID,
) -> BOOL:
    """Enable or disable privileges; ERROR_NOT_ALL_ASSIGNED where one is not held, and success even then."""
    disable = int(DisableAllPrivileges != 0)
    status = await nt.NtAdjustPrivilegesToken(
        thread, TokenHandle, disable, NewState, BufferLength, PreviousState, ReturnLength
    )
    _note(thread, status)
    return BOOL(1)


@export
async def AdjustTokenGroups(
    thread: UserThread,
    TokenHandle: HANDLE,
    ResetToDefault: BOOL,
    NewState: PVOID,
    BufferLength: DWORD,
    PreviousState: PVOID,
    ReturnLength: PVOID,
) -> BOOL:
    """Enable or disable groups."""
    reset = int(ResetToDefault != 0)
    status = await nt.NtAdjustGroupsToken(
        thread, TokenHandle, reset, NewState, BufferLength, PreviousState, ReturnLength
    )
    _note(thread, status)
    return BOOL(1)


def _note(thread: UserThread, status: int) -> None:
    set_last_error(thread, ERROR.NOT_ALL_ASSIGNED if status == STATUS.NOT_ALL_ASSIGNED else ERROR.SUCCESS)


def _quality(frame: Frame, level: int) -> int:
    """SECURITY_QUALITY_OF_SERVICE."""
    return frame.bytes(struct.pack("<IIBB2x", 12, level, 0, 0))


async def duplicate(
    thread: UserThread, token: int, access: int, level: int, kind: int, security: Ptr[SECURITY_ATTRIBUTES] | None = None
) -> int:
    """A copy of a token."""
    with thread.frame() as frame:
        place = new_handle(frame)
        where = OBJECT_ATTRIBUTES(thread.memory, attributes(frame, flags=0, security=security))
        where.SecurityQualityOfService = PVOID(_quality(frame, level))
        await nt.NtDuplicateToken(thread, token, access, where.address, 0, kind, place.address)
        return int(place.read())


@export
async def DuplicateTokenEx(
    thread: UserThread,
    hExistingToken: HANDLE,
    dwDesiredAccess: DWORD,
    lpTokenAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    ImpersonationLevel: DWORD,
    TokenType: DWORD,
    phNewToken: Out[HANDLE],
) -> BOOL:
    """A primary or impersonation copy of a token."""
    if TokenType not in (TOKEN_PRIMARY, TOKEN_IMPERSONATION):
        raise WinError(ERROR.INVALID_PARAMETER)
    phNewToken.write(
        await duplicate(thread, hExistingToken, dwDesiredAccess, ImpersonationLevel, TokenType, lpTokenAttributes)
    )
    return BOOL(1)


@export
async def DuplicateToken(
    thread: UserThread, ExistingTokenHandle: HANDLE, ImpersonationLevel: DWORD, DuplicateTokenHandle: Out[HANDLE]
) -> BOOL:
    """An impersonation copy of a token, to ask and to impersonate with."""
    access = TOKEN_QUERY | TOKEN_IMPERSONATE
    DuplicateTokenHandle.write(
        await duplicate(thread, ExistingTokenHandle, access, ImpersonationLevel, TOKEN_IMPERSONATION)
    )
    return BOOL(1)


async def _filter_rows(thread: UserThread, frame: Frame, count: int, rows: int, size: int, head: str) -> int:
    """A counted list (TOKEN_GROUPS, TOKEN_PRIVILEGES) of the caller's rows; 0 for none."""
    if not count:
        return 0
    return frame.bytes(struct.pack(head, count) + thread.memory.read(rows, size * count))


@export
async def CreateRestrictedToken(
    thread: UserThread,
    ExistingTokenHandle: HANDLE,
    Flags: DWORD,
    DisableSidCount: DWORD,
    SidsToDisable: PVOID,
    DeletePrivilegeCount: DWORD,
    PrivilegesToDelete: PVOID,
    RestrictedSidCount: DWORD,
    SidsToRestrict: PVOID,
    NewTokenHandle: Ptr[HANDLE],
) -> BOOL:
    """A weaker copy of a token."""
    with thread.frame() as frame:
        disable = await _filter_rows(thread, frame, DisableSidCount, SidsToDisable, 16, "<I4x")
        delete = await _filter_rows(thread, frame, DeletePrivilegeCount, PrivilegesToDelete, 12, "<I")
        restrict = await _filter_rows(thread, frame, RestrictedSidCount, SidsToRestrict, 16, "<I4x")
        await nt.NtFilterToken(thread, ExistingTokenHandle, Flags, disable, delete, restrict, NewTokenHandle.address)
    return BOOL(1)


@export
async def IsTokenRestricted(thread: UserThread, TokenHandle: HANDLE) -> BOOL:
    """Whether a token has restricting SIDs."""
    data = await token_information(thread, TokenHandle, TOKEN_INFORMATION_CLASS.TokenRestrictedSids)
    return BOOL(int.from_bytes(data[:4], "little") != 0)


@export
async def CheckTokenMembership(thread: UserThread, TokenHandle: HANDLE, SidToCheck: PVOID, IsMember: Out[BOOL]) -> BOOL:
    """Whether a SID is enabled in a token; NULL means the thread's own."""
    wanted = read_sid(thread, SidToCheck)
    token = TokenHandle or await effective_token(thread, TOKEN_QUERY)
    try:
        kinds = TOKEN_INFORMATION_CLASS
        (user,) = await token_sids(thread, token, kinds.TokenUser)
        groups = await token_sids(thread, token, kinds.TokenGroups)
        restricted = await token_sids(thread, token, kinds.TokenRestrictedSids)
    finally:
        if not TokenHandle:
            await nt.NtClose(thread, token)
    enabled = {sid for sid, flags in groups if flags & SE_GROUP_ENABLED and not flags & SE_GROUP_USE_FOR_DENY_ONLY}
    if not user[1] & SE_GROUP_USE_FOR_DENY_ONLY:
        enabled.add(user[0])
    allowed = not restricted or wanted in {sid for sid, _ in restricted}
    IsMember.write(int(wanted in enabled and allowed))
    return BOOL(1)


# ---------------------------------------------------------------- impersonation


async def set_thread_token(thread: UserThread, target: int, token: int) -> BOOL:
    """Let a thread impersonate with a token; 0 ends it."""
    with thread.frame() as frame:
        place = frame.bytes(token.to_bytes(8, "little"))
        await nt.NtSetInformationThread(thread, target, THREAD_IMPERSONATION_TOKEN, place, 8)
    return BOOL(1)


@export
async def SetThreadToken(thread: UserThread, Thread: Ptr[HANDLE] | None, Token: HANDLE) -> BOOL:
    """Let a thread (NULL: the caller) impersonate with a token."""
    return await set_thread_token(thread, int(Thread.read()) if Thread else CURRENT_THREAD, Token)


@export
async def RevertToSelf(thread: UserThread) -> BOOL:
    """End impersonation."""
    return await set_thread_token(thread, CURRENT_THREAD, 0)


async def impersonate(thread: UserThread, token: int, level: int) -> BOOL:
    """Impersonate with a copy of a token."""
    copy = await duplicate(thread, token, TOKEN_IMPERSONATE | TOKEN_QUERY, level, TOKEN_IMPERSONATION)
    try:
        return await set_thread_token(thread, CURRENT_THREAD, copy)
    finally:
        await nt.NtClose(thread, copy)


@export
async def ImpersonateSelf(thread: UserThread, ImpersonationLevel: DWORD) -> BOOL:
    """Give the thread a copy of its process's token, to change it for this thread alone."""
    with thread.frame() as frame:
        place = new_handle(frame)
        await nt.NtOpenProcessToken(thread, CURRENT_PROCESS, TOKEN_DUPLICATE, place.address)
        token = int(place.read())
    try:
        return await impersonate(thread, token, ImpersonationLevel)
    finally:
        await nt.NtClose(thread, token)


@export
async def ImpersonateLoggedOnUser(thread: UserThread, hToken: HANDLE) -> BOOL:
    """Act as the user of a token."""
    data = await token_information(thread, hToken, TOKEN_INFORMATION_CLASS.TokenType)
    if int.from_bytes(data[:4], "little") == TOKEN_IMPERSONATION:
        return await set_thread_token(thread, CURRENT_THREAD, hToken)
    return await impersonate(thread, hToken, SECURITY_IMPERSONATION)


@export
async def ImpersonateAnonymousToken(thread: UserThread, ThreadHandle: HANDLE) -> BOOL:
    """Act as nobody."""
    await nt.NtImpersonateAnonymousToken(thread, ThreadHandle)
    return BOOL(1)


# ---------------------------------------------------------------- checks


@export
async def PrivilegeCheck(
    thread: UserThread, ClientToken: HANDLE, RequiredPrivileges: PVOID, pfResult: Out[BOOL]
) -> BOOL:
    """Whether a client holds privileges."""
    with thread.frame() as frame:
        place = frame.allocate(8)
        await nt.NtPrivilegeCheck(thread, ClientToken, RequiredPrivileges, place)
        pfResult.write(thread.memory.read(place, 1)[0])
    return BOOL(1)


@export
async def AccessCheck(
    thread: UserThread,
    pSecurityDescriptor: PVOID,
    ClientToken: HANDLE,
    DesiredAccess: DWORD,
    GenericMapping: PVOID,
    PrivilegeSet: PVOID,
    PrivilegeSetLength: Ptr[DWORD],
    GrantedAccess: Ptr[DWORD],
    AccessStatus: Out[BOOL],
) -> BOOL:
    """Whether a client has access to something of the caller's own; the reason of a refusal is the last error."""
    with thread.frame() as frame:
        place = frame.allocate(8)
        await nt.NtAccessCheck(
            thread, pSecurityDescriptor, ClientToken, DesiredAccess, GenericMapping, PrivilegeSet,
            PrivilegeSetLength.address, GrantedAccess.address, place,
        )  # fmt: skip
        status = int.from_bytes(thread.memory.read(place, 4), "little")
    AccessStatus.write(int(status == 0))
    set_last_error(thread, nt_status_to_dos_error(status))
    return BOOL(1)
