"""Start-up: DllMain, argument vectors, the variables behind `__p_…`, application type and modes
(corecrt_startup.h).
"""

from __future__ import annotations

from ntos.abi.types import BOOL, DWORD, INT, LONG, PVOID
from ntos.dll.ucrtbase import lowio
from ntos.dll.ucrtbase.crt import (
    Crt,
    allocate,
    crt,
    entry,
    parameters,
    process_data,
    release_thread_data,
    set_errno,
    thread_data,
    win32,
)
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.rtl import commandline
from ntos.rtl.nls.codepage import to_ansi
from ntos.um import images
from ntos.um.export import export
from ntos.um.thread import UserThread

PROCESS_ATTACH, THREAD_DETACH = 1, 3
SLOTS = ("RtlAllocateHeap", "RtlFreeHeap", "RtlReAllocateHeap", "RtlSizeHeap", "RtlUnwind")
ARGV_NONE, ARGV_UNEXPANDED, ARGV_EXPANDED = 0, 1, 2


async def attach(thread: UserThread, module: str, base: int) -> None:
    """What each C runtime does when it enters a process: its leaf's slots, the descriptors of the standard
    files.
    """
    fill_slots(thread, module, base)
    await lowio.initialize(thread)


def fill_slots(thread: UserThread, module: str, base: int) -> None:
    """Tell the machine code of `module` where ntdll's heap and unwinder are."""
    rvas = images.build(module).rvas
    slots = base + rvas["ntos_slots"]
    for index, name in enumerate(SLOTS):
        PVOID.store(thread.memory, slots + 8 * index, entry(thread, name, "ntdll.dll"))
    if "ntos_out_of_memory" in rvas:
        PVOID.store(thread.memory, slots + 8 * len(SLOTS), base + rvas["ntos_out_of_memory"])


@export
async def DllMain(thread: UserThread, hinstDLL: PVOID, fdwReason: DWORD, lpvReserved: PVOID) -> BOOL:
    """The loader's calls: attach, and give back what a leaving thread had."""
    if fdwReason == PROCESS_ATTACH:
        thread.state(Crt).ucrt_attached = True
        await attach(thread, "ucrtbase", hinstDLL)
    elif fdwReason == THREAD_DETACH:
        release_thread_data(thread)
    return BOOL(1)


async def _out_of_memory(thread: UserThread, size: PVOID) -> INT:
    """ENOMEM; in new mode the new handler may make room (its answer says whether to try again)."""
    data = process_data(thread)
    if data.new_mode and int(data.new_handler):
        again = await thread.call(int(data.new_handler), size)
        if again & 0xFFFF_FFFF:
            return INT(1)
    set_errno(thread, ERRNO.ENOMEM)
    return INT(0)


for _module in ("ucrtbase", "msvcrt"):
    export(name="ntos_out_of_memory", module=_module)(_out_of_memory)


# ------------------------------------------------------------------------------ arguments


def command_line(thread: UserThread) -> str:
    """The command line as the kernel got it."""
    text = parameters(thread).CommandLine
    return thread.memory.read(int(text.Buffer), int(text.Length)).decode("utf-16-le", "surrogatepass")


def program_path(thread: UserThread) -> str:
    """The path of the image."""
    text = parameters(thread).ImagePathName
    return thread.memory.read(int(text.Buffer), int(text.Length)).decode("utf-16-le", "surrogatepass")


async def vector(thread: UserThread, items: list[bytes], terminator: int) -> int:
    """A block of pointers to `items`, the strings behind it, NULL at the end (argv's shape)."""
    head = 8 * (len(items) + 1)
    block = await allocate(thread, head + sum(len(item) + terminator for item in items))
    if not block:
        return 0
    place = block + head
    table, strings = bytearray(), bytearray()
    for item in items:
        table += (place + len(strings)).to_bytes(8, "little")
        strings += item + bytes(terminator)
    thread.memory.write(block, bytes(table) + bytes(8) + bytes(strings))
    return block


async def copy_narrow(thread: UserThread, data: bytes) -> int:
    """A heap copy of a byte string, NUL-terminated."""
    block = await allocate(thread, len(data) + 1)
    if block:
        thread.memory.write(block, data + b"\0")
    return block


async def copy_wide(thread: UserThread, text: str) -> int:
    """A heap copy of a wide string, NUL-terminated."""
    return await copy_narrow(thread, text.encode("utf-16-le", "surrogatepass") + b"\0")


async def arguments_of(thread: UserThread, mode: int) -> list[str]:
    """The program's arguments, wildcards expanded where `mode` says so."""
    found = commandline.split_crt(command_line(thread) or program_path(thread))
    if mode != ARGV_EXPANDED:
        return found
    result = found[:1]
    for argument in found[1:]:
        matches = await _expanded(thread, argument) if set(argument) & set("*?") else []
        result += matches or [argument]
    return result


async def _expanded(thread: UserThread, pattern: str) -> list[str]:
    cut = max(pattern.rfind(letter) for letter in "\\/:") + 1
    folder = pattern[:cut]
    names: list[str] = []
    with thread.frame() as frame:
        found = frame.allocate(0x250)
        handle = await win32(thread, "FindFirstFileW", frame.wide(pattern), found)
        if handle == 0xFFFF_FFFF_FFFF_FFFF:
            return []
        while True:
            raw = thread.memory.read(found + 0x2C, 520).decode("utf-16-le", "surrogatepass")
            name = raw.split("\0", 1)[0]
            if name not in {".", ".."}:
                names.append(folder + name)
            if not await win32(thread, "FindNextFileW", handle, found) & 0xFFFF_FFFF:
                break
        await win32(thread, "FindClose", handle)
    return sorted(names, key=str.lower)


async def narrow_arguments(thread: UserThread, mode: int) -> None:
    """Fill __argc, __argv, _acmdln and _pgmptr."""
    data = process_data(thread)
    if not int(data.acmdln):
        data.acmdln = await copy_narrow(thread, to_ansi(command_line(thread)))
        data.pgmptr = await copy_narrow(thread, to_ansi(program_path(thread)))
    if mode != ARGV_NONE:
        items = [to_ansi(item) for item in await arguments_of(thread, mode)]
        data.argv = await vector(thread, items, 1)
        data.argc = len(items)


async def wide_arguments(thread: UserThread, mode: int) -> None:
    """Fill __argc, __wargv, _wcmdln and _wpgmptr."""
    data = process_data(thread)
    if not int(data.wcmdln):
        data.wcmdln = await copy_wide(thread, command_line(thread))
        data.wpgmptr = await copy_wide(thread, program_path(thread))
    if mode != ARGV_NONE:
        arguments = await arguments_of(thread, mode)
        items = [item.encode("utf-16-le", "surrogatepass") for item in arguments]
        data.wargv = await vector(thread, items, 2)
        data.argc = len(items)


@crt
async def _configure_narrow_argv(thread: UserThread, mode: INT) -> INT:
    """Parse the command line into __argc and __argv."""
    await narrow_arguments(thread, mode)
    return INT(0)


@crt
async def _configure_wide_argv(thread: UserThread, mode: INT) -> INT:
    """Parse the command line into __argc and __wargv."""
    await wide_arguments(thread, mode)
    return INT(0)


@crt
async def _get_wide_winmain_command_line(thread: UserThread) -> PVOID:
    """The command line behind the program's name, for wWinMain."""
    await wide_arguments(thread, ARGV_NONE)
    text = command_line(thread)
    return PVOID(int(process_data(thread).wcmdln) + 2 * _tail(text))


@crt
async def _get_narrow_winmain_command_line(thread: UserThread) -> PVOID:
    """The command line behind the program's name, for WinMain."""
    await narrow_arguments(thread, ARGV_NONE)
    line = to_ansi(command_line(thread)).decode("latin-1")
    return PVOID(int(process_data(thread).acmdln) + _tail(line))


def _tail(text: str) -> int:
    """The index of the first argument: behind the name and the blanks after it."""
    position, quoted = 0, False
    while position < len(text) and (text[position] > " " or quoted):
        quoted ^= text[position] == '"'
        position += 1
    while position < len(text) and text[position] <= " ":
        position += 1
    return position


# ------------------------------------------------------------------------------ variables


@crt
def __p___argc(thread: UserThread) -> PVOID:
    """&__argc."""
    return _place(thread, "argc")


@crt
def __p___argv(thread: UserThread) -> PVOID:
    """&__argv."""
    return _place(thread, "argv")


@crt
def __p___wargv(thread: UserThread) -> PVOID:
    """&__wargv."""
    return _place(thread, "wargv")


@crt
async def __p__acmdln(thread: UserThread) -> PVOID:
    """&_acmdln."""
    await narrow_arguments(thread, ARGV_NONE)
    return _place(thread, "acmdln")


@crt
async def __p__wcmdln(thread: UserThread) -> PVOID:
    """&_wcmdln."""
    await wide_arguments(thread, ARGV_NONE)
    return _place(thread, "wcmdln")


@crt
async def __p__pgmptr(thread: UserThread) -> PVOID:
    """&_pgmptr."""
    await narrow_arguments(thread, ARGV_NONE)
    return _place(thread, "pgmptr")


@crt
async def __p__wpgmptr(thread: UserThread) -> PVOID:
    """&_wpgmptr."""
    await wide_arguments(thread, ARGV_NONE)
    return _place(thread, "wpgmptr")


@crt
def __p__fmode(thread: UserThread) -> PVOID:
    """&_fmode."""
    return _place(thread, "fmode")


@crt
def __p__commode(thread: UserThread) -> PVOID:
    """&_commode."""
    return _place(thread, "commode")


def _place(thread: UserThread, field: str) -> PVOID:
    data = process_data(thread)
    return PVOID(data.address + data.offset(field))


@crt
def _get_fmode(thread: UserThread, mode: PVOID) -> INT:
    """The default translation mode."""
    INT.store(thread.memory, mode, int(process_data(thread).fmode))
    return INT(0)


@crt
def _set_fmode(thread: UserThread, mode: INT) -> INT:
    """Set the default translation mode: _O_TEXT, _O_BINARY or _O_WTEXT."""
    if mode not in {0x4000, 0x8000, 0x10000}:
        set_errno(thread, ERRNO.EINVAL)
        return INT(ERRNO.EINVAL)
    process_data(thread).fmode = mode
    return INT(0)


@crt(aliases=("__set_app_type",))
def _set_app_type(thread: UserThread, type_: INT) -> None:
    """Console (1) or GUI (2): where error messages go."""
    process_data(thread).app_type = type_


@crt
def _query_app_type(thread: UserThread) -> INT:
    """What _set_app_type said."""
    return INT(process_data(thread).app_type)


@crt
def __setusermatherr(thread: UserThread, handler: PVOID) -> None:
    """The program's _matherr."""
    process_data(thread).user_matherr = handler


@crt
def _configthreadlocale(thread: UserThread, per_thread_locale_type: INT) -> INT:
    """Whether setlocale acts for this thread alone (1) or for all (2); gives the former setting."""
    data = thread_data(thread)
    former = 1 if data.per_thread_locale else 2
    if per_thread_locale_type in {1, 2}:
        data.per_thread_locale = int(per_thread_locale_type == 1)
    elif per_thread_locale_type:
        set_errno(thread, ERRNO.EINVAL)
        return INT(-1)
    return INT(former)


@crt
def _set_error_mode(thread: UserThread, mode: INT) -> INT:
    """Where assertion messages go; gives the former setting (3 only asks)."""
    data = process_data(thread)
    former = int(data.error_mode)
    if mode in {0, 1, 2}:
        data.error_mode = mode
    return INT(former)


@crt(aliases=("?_set_new_mode@@YAHH@Z",))
def _set_new_mode(thread: UserThread, mode: INT) -> INT:
    """Whether malloc calls the new handler; gives the former setting."""
    data = process_data(thread)
    former = int(data.new_mode)
    if mode not in {0, 1}:
        set_errno(thread, ERRNO.EINVAL)
        return INT(-1)
    data.new_mode = mode
    return INT(former)


@crt(aliases=("?_query_new_mode@@YAHXZ",))
def _query_new_mode(thread: UserThread) -> INT:
    """What _set_new_mode said."""
    return INT(process_data(thread).new_mode)


@crt(aliases=("?_set_new_handler@@YAP6AH_K@ZP6AH0@Z@Z",))
def _set_new_handler(thread: UserThread, handler: PVOID) -> PVOID:
    """The routine that is asked when memory has run out; gives the former one."""
    data = process_data(thread)
    former = int(data.new_handler)
    data.new_handler = handler
    return PVOID(former)


@crt(aliases=("?_query_new_handler@@YAP6AH_K@ZXZ",))
def _query_new_handler(thread: UserThread) -> PVOID:
    """What _set_new_handler said."""
    return PVOID(process_data(thread).new_handler)


@crt
async def _callnewh(thread: UserThread, size: PVOID) -> INT:
    """Ask the new handler for room: 1 when it says that there is some now."""
    handler = int(process_data(thread).new_handler)
    return INT(bool(handler) and await thread.call(handler, size) & 0xFFFF_FFFF != 0)


@crt
def _errno(thread: UserThread) -> PVOID:
    """&errno of this thread."""
    return PVOID(thread_data(thread).address)


@crt
def __doserrno(thread: UserThread) -> PVOID:
    """&_doserrno of this thread."""
    data = thread_data(thread)
    return PVOID(data.address + data.offset("doserrno"))


@crt
def _get_errno(thread: UserThread, value: PVOID) -> INT:
    """Errno."""
    INT.store(thread.memory, value, int(thread_data(thread).errno))
    return INT(0)


@crt
def _set_errno(thread: UserThread, value: INT) -> INT:
    """Errno = value."""
    set_errno(thread, value)
    return INT(0)


@crt
def _get_doserrno(thread: UserThread, value: PVOID) -> INT:
    """_doserrno."""
    DWORD.store(thread.memory, value, int(thread_data(thread).doserrno))
    return INT(0)


@crt
def _set_doserrno(thread: UserThread, value: LONG) -> INT:
    """_doserrno = value."""
    thread_data(thread).doserrno = value
    return INT(0)
