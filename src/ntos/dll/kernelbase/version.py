"""Which Windows this is, and which one a program is told (sysinfoapi.h).

A program without the `supportedOS` entry of Windows 8.1 or 10 in its manifest is told 6.2, the last version before
manifests were asked (Microsoft Learn, "Targeting your application for Windows").
"""

from __future__ import annotations

import re

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import OSVERSIONINFOEXW, OSVERSIONINFOW
from ntos.abi.pe.resources import ResourceType
from ntos.abi.pointer import Ptr
from ntos.abi.status import NtError
from ntos.abi.types import BOOL, BYTE, DWORD, ULONGLONG, WORD
from ntos.dll.kernelbase.resource_tree import find, tree_of
from ntos.dll.kernelbase.text import export_both
from ntos.rtl import version
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

SHARED = 0x7FFE_0000
SUITE, PRODUCT, MAJOR, MINOR, BUILD = 0x2D0, 0x264, 0x26C, 0x270, 0x260
SUPPORTED = re.compile(rb"supportedOS[^>]*Id\s*=\s*[\"']\{([0-9a-fA-F-]{36})\}")
WINDOWS_8_1, WINDOWS_10 = "1f676c76-80e1-4239-95bb-83d0f6d0da78", "8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a"
LEGACY, WITH_8_1 = (6, 2, 9200), (6, 3, 9600)
BASIC, EXTENDED = {OSVERSIONINFOW.size, 0x94}, {OSVERSIONINFOEXW.size, 0x9C}
MANIFEST_OF_A_PROGRAM = 1
OLD_WIN_VERSION = 1150


def current(thread: UserThread) -> version.Version:
    """The true version, from KUSER_SHARED_DATA."""
    memory = thread.memory

    def word(offset: int) -> int:
        return int.from_bytes(memory.read(SHARED + offset, 4), "little")

    return version.Version(
        word(MAJOR), word(MINOR), word(BUILD) & 0xFFFF, suite=word(SUITE) & 0xFFFF, product_type=word(PRODUCT) & 0xFF
    )


def manifest(thread: UserThread) -> bytes:
    """The program's manifest resource; nothing where it has none."""
    try:
        leaf = find(tree_of(thread, 0), ResourceType.MANIFEST, MANIFEST_OF_A_PROGRAM)
    except NtError:
        return b""
    return thread.memory.read(leaf.address, leaf.resource.size)


def told(manifest: bytes, true: version.Version) -> version.Version:
    """The version a program with this manifest is told."""
    supported = {match.decode("ascii").lower() for match in SUPPORTED.findall(manifest)}
    if WINDOWS_10 in supported:
        return true
    major, minor, build = WITH_8_1 if WINDOWS_8_1 in supported else LEGACY
    return version.Version(major, minor, build, suite=true.suite, product_type=true.product_type)


def told_version(thread: UserThread) -> version.Version:
    """The version the running program is told."""
    return told(manifest(thread), current(thread))


@export_both()
def GetVersionExW(thread: UserThread, lpVersionInformation: Ptr[OSVERSIONINFOEXW]) -> BOOL:
    """The version of Windows the program is made for, at most the true one."""
    view = lpVersionInformation.read()
    size = int(view.dwOSVersionInfoSize)
    if size not in BASIC | EXTENDED:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    now = told_version(thread)
    view.dwMajorVersion, view.dwMinorVersion = DWORD(now.major), DWORD(now.minor)
    view.dwBuildNumber, view.dwPlatformId = DWORD(now.build), DWORD(now.platform)
    view.memory.write(view.address + type(view).offset("szCSDVersion"), bytes(2))
    if size in EXTENDED:
        view.wServicePackMajor, view.wServicePackMinor = WORD(0), WORD(0)
        view.wSuiteMask, view.wProductType, view.wReserved = WORD(now.suite), BYTE(now.product_type), BYTE(0)
    return BOOL(1)


@export
def GetVersion(thread: UserThread) -> DWORD:
    """The same in one word: build, minor, major."""
    now = told_version(thread)
    return DWORD(now.build << 16 | now.minor << 8 | now.major)


@export_both()
def VerifyVersionInfoW(
    thread: UserThread, lpVersionInformation: Ptr[OSVERSIONINFOEXW], dwTypeMask: DWORD, dwlConditionMask: ULONGLONG
) -> BOOL:
    """Whether the version the program is told meets conditions; ERROR_OLD_WIN_VERSION where not."""
    view = lpVersionInformation.read()
    wanted = version.Version(
        int(view.dwMajorVersion),
        int(view.dwMinorVersion),
        int(view.dwBuildNumber),
        int(view.dwPlatformId),
        int(view.wServicePackMajor),
        int(view.wServicePackMinor),
        int(view.wSuiteMask),
        int(view.wProductType),
    )
    if not version.verify(told_version(thread), wanted, dwTypeMask, dwlConditionMask):
        raise WinError(OLD_WIN_VERSION)
    return BOOL(1)


@export
def GetProductInfo(
    thread: UserThread,
    dwOSMajorVersion: DWORD,
    dwOSMinorVersion: DWORD,
    dwSpMajorVersion: DWORD,
    dwSpMinorVersion: DWORD,
    pdwReturnedProductType: Ptr[DWORD],
) -> BOOL:
    """The edition: Professional (0x30), for a caller that knows of Windows 6 or later."""
    if not pdwReturnedProductType or dwOSMajorVersion < 6:
        raise WinError(ERROR.INVALID_PARAMETER)
    pdwReturnedProductType.write(0x30)
    return BOOL(1)
