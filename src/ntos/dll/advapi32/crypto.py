"""CryptoAPI as far as programs use it still: a context, random numbers, hashes (wincrypt.h).

Contexts and hashes are handles of our own: numbers that lead to Python objects of the process.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, PVOID, ULONG_PTR, WCHAR
from ntos.dll.kernelbase.text import export_both
from ntos.um.entropy import fill_random
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

if TYPE_CHECKING:
    from hashlib import _Hash

NTE_BAD_UID, NTE_BAD_HASH, NTE_BAD_ALGID, NTE_BAD_TYPE = 0x8009_0001, 0x8009_0002, 0x8009_0008, 0x8009_000A
NTE_BAD_KEYSET = 0x8009_0016
ALGORITHMS = {
    0x8001: "md2", 0x8002: "md4", 0x8003: "md5", 0x8004: "sha1", 0x800C: "sha256", 0x800D: "sha384", 0x800E: "sha512",
}  # fmt: skip
"""CALG_… and what hashlib calls it."""
HP_ALGID, HP_HASHVAL, HP_HASHSIZE = 1, 2, 4
PP_NAME, PP_PROVTYPE = 4, 16
VERIFY_CONTEXT = 0xF000_0000
FIRST_HANDLE, STEP = 0x10_0000, 0x10


class Hash:
    """A hash in the making."""

    def __init__(self, algorithm: int) -> None:
        self.algorithm = algorithm
        self.state: _Hash = hashlib.new(ALGORITHMS[algorithm])


class Handles:
    """The process's contexts and hashes by handle."""

    def __init__(self) -> None:
        self.contexts: dict[int, int] = {}
        self.hashes: dict[int, Hash] = {}
        self.last = FIRST_HANDLE

    def next(self) -> int:
        """A number not used before."""
        self.last += STEP
        return self.last


def _hash(thread: UserThread, handle: int) -> Hash:
    found = thread.state(Handles).hashes.get(handle)
    if found is None:
        raise WinError(NTE_BAD_HASH)
    return found


@export_both(partial="no key containers: a context for random numbers and hashes")
def CryptAcquireContextW(
    thread: UserThread,
    phProv: Ptr[ULONG_PTR],
    szContainer: Ptr[WCHAR] | None,
    szProvider: Ptr[WCHAR] | None,
    dwProvType: DWORD,
    dwFlags: DWORD,
) -> BOOL:
    """A cryptographic context."""
    if szContainer is not None and not dwFlags & VERIFY_CONTEXT:
        raise WinError(NTE_BAD_KEYSET)
    handles = thread.state(Handles)
    handle = handles.next()
    handles.contexts[handle] = dwProvType
    phProv.write(handle)
    return BOOL(1)


@export
def CryptReleaseContext(thread: UserThread, hProv: ULONG_PTR, dwFlags: DWORD) -> BOOL:
    """Give a context back."""
    if thread.state(Handles).contexts.pop(hProv, None) is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    return BOOL(1)


@export
async def CryptGenRandom(thread: UserThread, hProv: ULONG_PTR, dwLen: DWORD, pbBuffer: PVOID) -> BOOL:
    """Random bytes."""
    if hProv not in thread.state(Handles).contexts:
        raise WinError(ERROR.INVALID_PARAMETER)
    await fill_random(thread, pbBuffer, dwLen)
    return BOOL(1)


@export
def CryptCreateHash(
    thread: UserThread, hProv: ULONG_PTR, Algid: DWORD, hKey: ULONG_PTR, dwFlags: DWORD, phHash: Ptr[ULONG_PTR]
) -> BOOL:
    """A hash object."""
    handles = thread.state(Handles)
    if hProv not in handles.contexts:
        raise WinError(NTE_BAD_UID)
    if Algid not in ALGORITHMS or ALGORITHMS[Algid] not in hashlib.algorithms_available:
        raise WinError(NTE_BAD_ALGID)
    handle = handles.next()
    handles.hashes[handle] = Hash(Algid)
    phHash.write(handle)
    return BOOL(1)


@export
def CryptHashData(thread: UserThread, hHash: ULONG_PTR, pbData: PVOID, dwDataLen: DWORD, dwFlags: DWORD) -> BOOL:
    """Add data to a hash."""
    _hash(thread, hHash).state.update(thread.memory.read(pbData, dwDataLen))
    return BOOL(1)


@export
def CryptGetHashParam(
    thread: UserThread, hHash: ULONG_PTR, dwParam: DWORD, pbData: PVOID, pdwDataLen: Ptr[DWORD], dwFlags: DWORD
) -> BOOL:
    """A hash's value, size or algorithm."""
    found = _hash(thread, hHash)
    values = {
        HP_ALGID: found.algorithm.to_bytes(4, "little"),
        HP_HASHVAL: found.state.digest(),
        HP_HASHSIZE: found.state.digest_size.to_bytes(4, "little"),
    }
    if dwParam not in values:
        raise WinError(NTE_BAD_TYPE)
    data = values[dwParam]
    room = int(pdwDataLen.read())
    pdwDataLen.write(len(data))
    if pbData:
        if room < len(data):
            raise WinError(ERROR.MORE_DATA)
        thread.memory.write(pbData, data)
    return BOOL(1)


@export
def CryptDestroyHash(thread: UserThread, hHash: ULONG_PTR) -> BOOL:
    """Give a hash back."""
    _hash(thread, hHash)
    del thread.state(Handles).hashes[hHash]
    return BOOL(1)
