"""msvcrt's exported variables, and C++ operators that are malloc and free."""

from __future__ import annotations

import struct

from ntos.dll.ucrtbase.crt import ProcessData

STATE = "ntos_crt"
IOB_SIZE = 20 * 0x30
LOCKS = "ntos_locks"
LOCK_COUNT, LOCK_SIZE = 64, 0x28


def _inside(field: str) -> tuple[str, int]:
    return STATE, ProcessData.offset(field)


DATA: dict[str, bytes | int | tuple[str, int]] = {
    STATE: ProcessData.size,
    LOCKS: struct.pack("<Qi4x", 0xFFFF_FFFF_FFFF_FFFF, -1).ljust(LOCK_SIZE, b"\0") * LOCK_COUNT,
    "_iob": IOB_SIZE,
    "__argc": _inside("argc"),
    "__argv": _inside("argv"),
    "__wargv": _inside("wargv"),
    "_environ": _inside("environ"),
    "_wenviron": _inside("wenviron"),
    "_acmdln": _inside("acmdln"),
    "_wcmdln": _inside("wcmdln"),
    "_pgmptr": _inside("pgmptr"),
    "_wpgmptr": _inside("wpgmptr"),
    "_fmode": _inside("fmode"),
    "_commode": _inside("commode"),
    "_timezone": _inside("timezone"),
    "_daylight": _inside("daylight"),
    "_dstbias": _inside("dstbias"),
    "_tzname": _inside("tzname"),
    "_mbctype": _inside("mbctype"),
    "_sys_errlist": _inside("sys_errlist"),
    "_ctype": _inside("pctype"),
    "_pctype": 8,
    "_pwctype": 8,
    "__initenv": 8,
    "__winitenv": 8,
    "__pioinfo": _inside("files"),
    "__badioinfo": struct.pack("<QB", 0xFFFF_FFFF_FFFF_FFFF, 0).ljust(0x40, b"\0"),
    "_sys_nerr": struct.pack("<i", 43),
    "__mb_cur_max": struct.pack("<i", 1),
    "__lc_codepage": 4,
    "__lc_collate_cp": 4,
    "__lc_handle": 24,
    "__setlc_active": 4,
    "__unguarded_readlc_active": 4,
    "_aexit_rtn": 8,
    "_HUGE": struct.pack("<d", float("inf")),
    "_osplatform": struct.pack("<I", 2),
    "_osver": struct.pack("<I", 19041),
    "_winver": struct.pack("<I", 0x0A00),
    "_winmajor": struct.pack("<I", 10),
    "_winminor": 4,
}

ALIASES = {
    "??2@YAPEAX_K@Z": "malloc",
    "??_U@YAPEAX_K@Z": "malloc",
    "??3@YAXPEAX@Z": "free",
    "??_V@YAXPEAX@Z": "free",
    "_strcmpi": "_stricmp",
}
