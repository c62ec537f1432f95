"""errno: its values, its texts, and what Win32 errors become (Microsoft, "errno, _doserrno,
_sys_errlist").
"""

from __future__ import annotations

from typing import Final


class ERRNO:
    """errno.h."""

    EPERM: Final = 1
    ENOENT: Final = 2
    ESRCH: Final = 3
    EINTR: Final = 4
    EIO: Final = 5
    ENXIO: Final = 6
    E2BIG: Final = 7
    ENOEXEC: Final = 8
    EBADF: Final = 9
    ECHILD: Final = 10
    EAGAIN: Final = 11
    ENOMEM: Final = 12
    EACCES: Final = 13
    EFAULT: Final = 14
    EBUSY: Final = 16
    EEXIST: Final = 17
    EXDEV: Final = 18
    ENODEV: Final = 19
    ENOTDIR: Final = 20
    EISDIR: Final = 21
    EINVAL: Final = 22
    ENFILE: Final = 23
    EMFILE: Final = 24
    ENOTTY: Final = 25
    EFBIG: Final = 27
    ENOSPC: Final = 28
    ESPIPE: Final = 29
    EROFS: Final = 30
    EMLINK: Final = 31
    EPIPE: Final = 32
    EDOM: Final = 33
    ERANGE: Final = 34
    EDEADLK: Final = 36
    ENAMETOOLONG: Final = 38
    ENOLCK: Final = 39
    ENOSYS: Final = 40
    ENOTEMPTY: Final = 41
    EILSEQ: Final = 42
    STRUNCATE: Final = 80


TEXTS: Final = (
    "No error", "Operation not permitted", "No such file or directory", "No such process",
    "Interrupted function call", "Input/output error", "No such device or address", "Arg list too long",
    "Exec format error", "Bad file descriptor", "No child processes", "Resource temporarily unavailable",
    "Not enough space", "Permission denied", "Bad address", "Unknown error", "Resource device", "File exists",
    "Improper link", "No such device", "Not a directory", "Is a directory", "Invalid argument",
    "Too many open files in system", "Too many open files", "Inappropriate I/O control operation",
    "Unknown error", "File too large", "No space left on device", "Invalid seek", "Read-only file system",
    "Too many links", "Broken pipe", "Domain error", "Result too large", "Unknown error",
    "Resource deadlock avoided", "Unknown error", "Filename too long", "No locks available",
    "Function not implemented", "Directory not empty", "Illegal byte sequence", "Unknown error",
)  # fmt: skip
"""strerror's texts; the last one is for every other number."""
POSIX_TEXTS: Final = {
    100: "address in use", 101: "address not available", 102: "address family not supported",
    103: "connection already in progress", 104: "bad message", 105: "operation canceled",
    106: "connection aborted", 107: "connection refused", 108: "connection reset",
    109: "destination address required", 110: "host unreachable", 111: "identifier removed",
    112: "operation in progress", 113: "already connected", 114: "too many symbolic link levels",
    115: "message size", 116: "network down", 117: "network reset", 118: "network unreachable",
    119: "no buffer space", 120: "no message available", 121: "no link", 122: "no message",
    123: "no protocol option", 124: "no stream resources", 125: "not a stream", 126: "not connected",
    127: "state not recoverable", 128: "not a socket", 129: "not supported", 130: "operation not supported",
    132: "value too large", 133: "owner dead", 134: "protocol error", 135: "protocol not supported",
    136: "wrong protocol type", 137: "stream timeout", 138: "timed out", 139: "text file busy",
    140: "operation would block",
}  # fmt: skip

_WIN32: Final = {
    1: 22, 2: 2, 3: 2, 4: 24, 5: 13, 6: 9, 7: 12, 8: 12, 9: 12, 10: 7, 11: 8, 12: 22, 13: 22, 15: 2, 16: 13,
    17: 18, 18: 2, 33: 13, 53: 2, 65: 13, 67: 2, 80: 17, 82: 13, 83: 13, 87: 22, 89: 11, 106: 13, 107: 13,
    108: 13, 109: 32, 112: 28, 114: 9, 128: 10, 129: 10, 130: 9, 131: 22, 132: 13, 145: 41, 158: 13, 161: 2,
    164: 11, 167: 13, 183: 17, 206: 2, 215: 11, 1816: 12, 1113: 42,
}  # fmt: skip


def from_win32(code: int) -> int:
    """The errno of a Win32 error: the table, two ranges, else EINVAL."""
    if code in _WIN32:
        return _WIN32[code]
    if 19 <= code <= 36:
        return ERRNO.EACCES
    if 188 <= code <= 202:
        return ERRNO.ENOEXEC
    return ERRNO.EINVAL


def text(number: int) -> str:
    """What strerror says."""
    if number in POSIX_TEXTS:
        return POSIX_TEXTS[number]
    return TEXTS[number] if 0 <= number < len(TEXTS) else TEXTS[-1]
