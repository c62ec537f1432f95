"""What programs say about the search: DLL directories, default flags, the loader lock, notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pointer import Code, In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr import lock
from ntos.dll.ntdll.ldr.api import module_of
from ntos.dll.ntdll.ldr.module import DONT_CALL_FOR_THREADS
from ntos.dll.ntdll.ldr.state import Loader, Notification
from ntos.rtl.path import PathType, path_type
from ntos.rtl.text import to_utf16
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

DEFAULT_FLAGS = 0x1E00
RAISE_ON_ERROR, TRY_ONLY = 1, 2
INVALID, ACQUIRED, NOT_ACQUIRED = 0, 1, 2
COOKIE_MARK = 0x4C4F_434B_0000_0000


@export
def LdrSetDllDirectory(thread: UserThread, DllDirectory: In[UNICODE_STRING]) -> NTSTATUS:
    """Search this directory in place of the current one; an empty one only takes the current one away."""
    settings = thread.state(Loader).settings
    text = DllDirectory.text
    if ";" in text:
        raise NtError(STATUS.INVALID_PARAMETER)
    settings.dll_directory = text if int(DllDirectory.Buffer) else None
    return STATUS.SUCCESS


@export
def LdrGetDllDirectory(thread: UserThread, DllDirectory: Ptr[UNICODE_STRING]) -> NTSTATUS:
    """The directory of LdrSetDllDirectory; BUFFER_TOO_SMALL with the size needed."""
    data = to_utf16(thread.state(Loader).settings.dll_directory or "")
    view = DllDirectory.read()
    view.Length = len(data)
    if int(view.MaximumLength) < len(data) + 2:
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    thread.memory.write(int(view.Buffer), data + b"\0\0")
    return STATUS.SUCCESS


@export
def LdrAddDllDirectory(thread: UserThread, NewDirectory: In[UNICODE_STRING], Cookie: Out[PVOID]) -> NTSTATUS:
    """Add a directory to those that LOAD_LIBRARY_SEARCH_USER_DIRS stands for."""
    text = NewDirectory.text
    if path_type(text) not in {PathType.DRIVE_ABSOLUTE, PathType.UNC_ABSOLUTE, PathType.LOCAL_DEVICE}:
        raise NtError(STATUS.INVALID_PARAMETER)
    loader = thread.state(Loader)
    cookie = loader.data + 0x10 * loader.next_cookie()
    loader.settings.user_directories[cookie] = text.rstrip("\\")
    Cookie.write(cookie)
    return STATUS.SUCCESS


@export
def LdrRemoveDllDirectory(thread: UserThread, Cookie: PVOID) -> NTSTATUS:
    """Take back what LdrAddDllDirectory added."""
    if thread.state(Loader).settings.user_directories.pop(Cookie, None) is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    return STATUS.SUCCESS


@export
def LdrSetDefaultDllDirectories(thread: UserThread, Flags: ULONG) -> NTSTATUS:
    """Say how DLLs are searched for where the caller does not: it cannot be undone."""
    if not Flags or Flags & ~DEFAULT_FLAGS:
        raise NtError(STATUS.INVALID_PARAMETER)
    thread.state(Loader).settings.default_flags = Flags
    return STATUS.SUCCESS


@export
def LdrDisableThreadCalloutsForDll(thread: UserThread, BaseAddress: PVOID) -> NTSTATUS:
    """No more DLL_THREAD_ATTACH and …_DETACH for the module; refused to one with static TLS."""
    module = module_of(thread.state(Loader), BaseAddress)
    if module.tls is not None:
        raise NtError(STATUS.DLL_NOT_FOUND)
    module.entry.Flags = int(module.entry.Flags) | DONT_CALL_FOR_THREADS
    return STATUS.SUCCESS


@export
async def LdrLockLoaderLock(
    thread: UserThread, Flags: ULONG, Disposition: Out[ULONG] | None, Cookie: Out[PVOID] | None
) -> NTSTATUS:
    """Take the loader lock, or only try to (2); the cookie gives it back."""
    if Flags & ~3 or Cookie is None or (Flags & TRY_ONLY and Disposition is None):
        raise NtError(STATUS.INVALID_PARAMETER)
    if Flags & TRY_ONLY:
        taken = await thread.call(guest.routine(thread, "RtlTryEnterCriticalSection"), int(thread.peb.LoaderLock))
        if not taken & 0xFF:
            assert Disposition is not None
            Disposition.write(NOT_ACQUIRED)
            Cookie.write(0)
            return STATUS.SUCCESS
    else:
        await lock.acquire(thread)
    if Disposition is not None:
        Disposition.write(ACQUIRED)
    Cookie.write(COOKIE_MARK | thread.id)
    return STATUS.SUCCESS


@export
async def LdrUnlockLoaderLock(thread: UserThread, Flags: ULONG, Cookie: PVOID) -> NTSTATUS:
    """Give the loader lock back."""
    if Flags & ~1 or (Cookie and Cookie != COOKIE_MARK | thread.id):
        raise NtError(STATUS.INVALID_PARAMETER)
    if Cookie:
        await lock.release(thread)
    return STATUS.SUCCESS


@export
def LdrRegisterDllNotification(
    thread: UserThread, Flags: ULONG, NotificationFunction: Code, Context: PVOID, Cookie: Out[PVOID]
) -> NTSTATUS:
    """Call a function whenever a module has been loaded or is about to go."""
    if Flags or not NotificationFunction:
        raise NtError(STATUS.INVALID_PARAMETER)
    loader = thread.state(Loader)
    cookie = loader.data + 0x10 * loader.next_cookie()
    loader.notifications.append(Notification(cookie, int(NotificationFunction), Context))
    Cookie.write(cookie)
    return STATUS.SUCCESS


@export
def LdrUnregisterDllNotification(thread: UserThread, Cookie: PVOID) -> NTSTATUS:
    """Take a notification back."""
    loader = thread.state(Loader)
    kept = [each for each in loader.notifications if each.cookie != Cookie]
    if len(kept) == len(loader.notifications):
        raise NtError(STATUS.DLL_NOT_FOUND)
    loader.notifications = kept
    return STATUS.SUCCESS
