"""Resources of modules: find, load, enumerate, strings (libloaderapi.h, winuser.h LoadString)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pe.resources import ResourceId, ResourceType
from ntos.abi.pointer import Code, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, LONG_PTR, PVOID, UINT, ULONG, USHORT, WCHAR, WORD
from ntos.dll.kernelbase.resource_tree import (
    NEUTRAL,
    Leaf,
    Names,
    find,
    folded,
    module_at,
    string_of,
    tree_of,
)
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, put_cut, text_of
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import Frame, UserThread

RESOURCE_ENUM_USER_STOP = 15106
STRINGS_IN_BLOCK = 16


def identifier(pointer: Ptr[WCHAR] | None) -> ResourceId:
    """A name, or the number that MAKEINTRESOURCE made of one."""
    if pointer is None or not pointer.address >> 16:
        return pointer.address if pointer is not None else 0
    return folded(text_of(pointer))


@export_both()
def FindResourceExW(
    thread: UserThread, hModule: HANDLE, lpType: Ptr[WCHAR], lpName: Ptr[WCHAR], wLanguage: WORD
) -> PVOID:
    """Where a module describes a resource, in a language."""
    return PVOID(find(tree_of(thread, hModule), identifier(lpType), identifier(lpName), wLanguage).entry)


@export_both()
def FindResourceW(thread: UserThread, hModule: HANDLE, lpName: Ptr[WCHAR], lpType: Ptr[WCHAR]) -> PVOID:
    """Where a module describes a resource."""
    return PVOID(find(tree_of(thread, hModule), identifier(lpType), identifier(lpName)).entry)


@export
def LoadResource(thread: UserThread, hModule: HANDLE, hResInfo: PVOID) -> PVOID:
    """The address of a resource's data: resources lie mapped with their module."""
    if not hResInfo:
        return PVOID(0)
    return PVOID(module_at(thread, hModule).address(ULONG.load(thread.memory, hResInfo)))


@export
def LockResource(thread: UserThread, hResData: PVOID) -> PVOID:
    """The same address again."""
    return PVOID(hResData)


@export
def FreeResource(thread: UserThread, hResData: PVOID) -> BOOL:
    """Nothing to free; 0 says so."""
    return BOOL(0)


@export
def SizeofResource(thread: UserThread, hModule: HANDLE, hResInfo: PVOID) -> DWORD:
    """How many bytes a resource has."""
    if not hResInfo:
        return DWORD(0)
    return DWORD(ULONG.load(thread.memory, hResInfo + 4))


def _pass(frame: Frame, value: ResourceId, narrow: bool) -> int:
    """An identifier as a callback takes it."""
    if isinstance(value, int):
        return value
    return frame.bytes(value.encode("cp1252", "replace") + b"\0") if narrow else frame.wide(value)


def _types(tree: Names, kind: ResourceId) -> dict[ResourceId, dict[ResourceId, Leaf]]:
    names = tree.get(kind)
    if names is None:
        raise NtError(STATUS.RESOURCE_TYPE_NOT_FOUND)
    return names


async def _each_name(
    thread: UserThread, module: int, kind: Ptr[WCHAR], function: int, parameter: int, *, narrow: bool
) -> BOOL:
    for name in list(_types(tree_of(thread, module), identifier(kind))):
        with thread.frame() as frame:
            passed = _pass(frame, name, narrow)
            answer = await thread.call(function, module, kind.address, passed, parameter & 0xFFFF_FFFF_FFFF_FFFF)
        if not answer & 0xFFFF_FFFF:
            raise WinError(RESOURCE_ENUM_USER_STOP)
    return BOOL(1)


@export_both()
async def EnumResourceNamesW(
    thread: UserThread, hModule: HANDLE, lpType: Ptr[WCHAR], lpEnumFunc: Code, lParam: LONG_PTR
) -> BOOL:
    """Call back with each name of a type."""
    return await _each_name(thread, hModule, lpType, lpEnumFunc, lParam, narrow=is_narrow(lpType))


@export_both()
async def EnumResourceNamesExW(
    thread: UserThread,
    hModule: HANDLE,
    lpType: Ptr[WCHAR],
    lpEnumFunc: Code,
    lParam: LONG_PTR,
    dwFlags: DWORD,
    LangId: WORD,
) -> BOOL:
    """The same; only the module itself is looked at, not its language files."""
    return await _each_name(thread, hModule, lpType, lpEnumFunc, lParam, narrow=is_narrow(lpType))


async def _each_type(thread: UserThread, module: int, function: int, parameter: int, *, narrow: bool) -> BOOL:
    for kind in list(tree_of(thread, module)):
        with thread.frame() as frame:
            passed = _pass(frame, kind, narrow)
            answer = await thread.call(function, module, passed, parameter & 0xFFFF_FFFF_FFFF_FFFF)
        if not answer & 0xFFFF_FFFF:
            raise WinError(RESOURCE_ENUM_USER_STOP)
    return BOOL(1)


@export(aliases=("EnumResourceTypesExW",))
async def EnumResourceTypesW(thread: UserThread, hModule: HANDLE, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """Call back with each type."""
    return await _each_type(thread, hModule, lpEnumFunc, lParam, narrow=False)


@export(aliases=("EnumResourceTypesExA",))
async def EnumResourceTypesA(thread: UserThread, hModule: HANDLE, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """Call back with each type, names in the ANSI code page."""
    return await _each_type(thread, hModule, lpEnumFunc, lParam, narrow=True)


@export_both()
async def EnumResourceLanguagesW(
    thread: UserThread, hModule: HANDLE, lpType: Ptr[WCHAR], lpName: Ptr[WCHAR], lpEnumFunc: Code, lParam: LONG_PTR
) -> BOOL:
    """Call back with each language of a resource."""
    return await _each_language(thread, hModule, lpType, lpName, lpEnumFunc, lParam)


@export_both()
async def EnumResourceLanguagesExW(
    thread: UserThread,
    hModule: HANDLE,
    lpType: Ptr[WCHAR],
    lpName: Ptr[WCHAR],
    lpEnumFunc: Code,
    lParam: LONG_PTR,
    dwFlags: DWORD,
    LangId: WORD,
) -> BOOL:
    """The same; only the module itself is looked at, not its language files."""
    return await _each_language(thread, hModule, lpType, lpName, lpEnumFunc, lParam)


async def _each_language(
    thread: UserThread, module: int, kind: Ptr[WCHAR], name: Ptr[WCHAR], function: int, parameter: int
) -> BOOL:
    languages = _types(tree_of(thread, module), identifier(kind)).get(identifier(name))
    if languages is None:
        raise NtError(STATUS.RESOURCE_NAME_NOT_FOUND)
    for language in list(languages):
        answer = await thread.call(
            function, module, kind.address, name.address, int(language), parameter & 0xFFFF_FFFF_FFFF_FFFF
        )
        if not answer & 0xFFFF_FFFF:
            raise WinError(RESOURCE_ENUM_USER_STOP)
    return BOOL(1)


def load_string(thread: UserThread, module: int, number: int, language: int = NEUTRAL) -> tuple[int, str]:
    """The address and text of a string resource."""
    leaf = find(tree_of(thread, module), ResourceType.STRING, number // STRINGS_IN_BLOCK + 1, language)
    block = thread.memory.read(leaf.address, leaf.resource.size)
    found, position = string_of(block, number % STRINGS_IN_BLOCK), 0
    if not found:
        raise NtError(STATUS.RESOURCE_NAME_NOT_FOUND)
    for _ in range(number % STRINGS_IN_BLOCK):
        position += 2 + 2 * USHORT.load(thread.memory, leaf.address + position)
    return leaf.address + position + 2, from_utf16(found)


@export_both()
def LoadStringW(thread: UserThread, hInstance: HANDLE, uID: UINT, lpBuffer: Ptr[WCHAR], cchBufferMax: INT) -> INT:
    """A string resource, cut where the buffer is short; with no room its address in the module is stored."""
    address, text = load_string(thread, hInstance, uID & 0xFFFF)
    if cchBufferMax == 0 and not is_narrow(lpBuffer):
        lpBuffer.write_bytes(address.to_bytes(8, "little"))
        return INT(len(encoded(lpBuffer, text)) // 2)
    if cchBufferMax <= 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    return INT(put_cut(lpBuffer, cchBufferMax, text))
