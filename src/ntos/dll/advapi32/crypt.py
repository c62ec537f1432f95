"""The old cryptographic providers (wincrypt.h): random numbers and hashes.

A provider handle and a hash handle are addresses of small blocks of the process heap; what has been hashed so far is
Python's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, BYTE, DWORD, PVOID, ULONG_PTR, WCHAR
from ntos.dll.kernelbase.services import allocate_bytes, free
from ntos.dll.kernelbase.text import export_both
from ntos.um.entropy import fill_random
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

NTE_BAD_UID, NTE_BAD_HASH, NTE_BAD_ALGID, NTE_BAD_TYPE, NTE_PROV_TYPE_NOT_DEF = (
    0x8009_0001, 0x8009_0002, 0x8009_0008, 0x8009_000A, 0x8009_0017,
)  # fmt: skip
NTE_BAD_HASH_STATE, NTE_BAD_KEYSET = 0x8009_000C, 0x8009_0016
PROV_RSA_FULL, PROV_RSA_AES = 1, 24
CRYPT_VERIFYCONTEXT = 0xF000_0000
ALGORITHMS = {0x8003: "md5", 0x8004: "sha1", 0x800C: "sha256", 0x800D: "sha384", 0x800E: "sha512"}
"""CALG_… by Python's name."""
HP_ALGID, HP_HASHVAL, HP_HASHSIZE = 1, 2, 4
PROVIDER_MARK, HASH_MARK = b"ntosprov", b"ntoshash"


@dataclass
class Hash:
    """A hash in the making."""

    algorithm: int
    state: hashlib._Hash
    value: bytes | None = None


@dataclass
class Providers:
    """Handles given out."""

    contexts: set[int] = field(default_factory=set)
    hashes: dict[int, Hash] = field(default_factory=dict)


def _check(thread: UserThread, provider: int) -> Providers:
    state = thread.state(Providers)
    if provider not in state.contexts:
        raise CryptError(NTE_BAD_UID)
    return state


class CryptError(WinError):
    """A failure whose last error is an HRESULT of the security facility."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@export_both(partial="contexts without keys (CRYPT_VERIFYCONTEXT) only")
async def CryptAcquireContextW(
    thread: UserThread,
    phProv: Out[ULONG_PTR],
    szContainer: Ptr[WCHAR] | None,
    szProvider: Ptr[WCHAR] | None,
    dwProvType: DWORD,
    dwFlags: DWORD,
) -> BOOL:
    """A handle to a provider."""
    if dwProvType not in (PROV_RSA_FULL, PROV_RSA_AES):
        raise CryptError(NTE_PROV_TYPE_NOT_DEF)
    if dwFlags & CRYPT_VERIFYCONTEXT != CRYPT_VERIFYCONTEXT:
        raise CryptError(NTE_BAD_KEYSET)
    handle = await allocate_bytes(thread, PROVIDER_MARK + dwProvType.to_bytes(8, "little"))
    thread.state(Providers).contexts.add(handle)
    phProv.write(handle)
    return BOOL(1)


@export
async def CryptReleaseContext(thread: UserThread, hProv: ULONG_PTR, dwFlags: DWORD) -> BOOL:
    """Give a provider back."""
    _check(thread, hProv).contexts.discard(hProv)
    await free(thread, hProv)
    return BOOL(1)


@export
async def CryptGenRandom(thread: UserThread, hProv: ULONG_PTR, dwLen: DWORD, pbBuffer: PVOID) -> BOOL:
    """Fill a buffer with random bytes."""
    _check(thread, hProv)
    await fill_random(thread, pbBuffer, dwLen)
    return BOOL(1)


@export
async def CryptCreateHash(
    thread: UserThread, hProv: ULONG_PTR, Algid: DWORD, hKey: ULONG_PTR, dwFlags: DWORD, phHash: Out[ULONG_PTR]
) -> BOOL:
    """Begin a hash."""
    state = _check(thread, hProv)
    if Algid not in ALGORITHMS or hKey:
        raise CryptError(NTE_BAD_ALGID)
    handle = await allocate_bytes(thread, HASH_MARK)
    state.hashes[handle] = Hash(int(Algid), hashlib.new(ALGORITHMS[Algid], usedforsecurity=False))
    phHash.write(handle)
    return BOOL(1)


def _hash(thread: UserThread, handle: int) -> Hash:
    found = thread.state(Providers).hashes.get(handle)
    if found is None:
        raise CryptError(NTE_BAD_HASH)
    return found


@export
def CryptHashData(thread: UserThread, hHash: ULONG_PTR, pbData: PVOID, dwDataLen: DWORD, dwFlags: DWORD) -> BOOL:
    """Add bytes to a hash."""
    found = _hash(thread, hHash)
    if found.value is not None:
        raise CryptError(NTE_BAD_HASH_STATE)
    found.state.update(thread.memory.read(pbData, dwDataLen))
    return BOOL(1)


@export
def CryptGetHashParam(
    thread: UserThread,
    hHash: ULONG_PTR,
    dwParam: DWORD,
    pbData: Ptr[BYTE] | None,
    pdwDataLen: Ptr[DWORD],
    dwFlags: DWORD,
) -> BOOL:
    """A hash's value, size or algorithm; asking for the value ends it."""
    found = _hash(thread, hHash)
    if dwParam == HP_HASHVAL:
        data = found.state.digest()
        if pbData is not None:
            found.value = data
    elif dwParam == HP_HASHSIZE:
        data = found.state.digest_size.to_bytes(4, "little")
    elif dwParam == HP_ALGID:
        data = found.algorithm.to_bytes(4, "little")
    else:
        raise CryptError(NTE_BAD_TYPE)
    room = int(pdwDataLen.read())
    pdwDataLen.write(len(data))
    if pbData is None:
        return BOOL(1)
    if room < len(data):
        raise WinError(ERROR.MORE_DATA)
    pbData.write_bytes(data)
    return BOOL(1)


@export
async def CryptDestroyHash(thread: UserThread, hHash: ULONG_PTR) -> BOOL:
    """End a hash."""
    _hash(thread, hHash)
    del thread.state(Providers).hashes[hHash]
    await free(thread, hHash)
    return BOOL(1)
