"""Memory, strings, numbers, sorting: machine code against Python."""

from __future__ import annotations

import struct
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.um.leaf_guest import ARENA, ARENA_SIZE, Guest

NTDLL, UCRT, VCRUNTIME = "ntdll", "ucrtbase", "vcruntime140"
every = pytest.mark.parametrize("dll", [NTDLL, UCRT, VCRUNTIME])
both = pytest.mark.parametrize("dll", [NTDLL, UCRT])
offsets = st.integers(0, 15)
few = st.sampled_from(b"abAB\x80\xff")
texts = st.lists(few, max_size=60).map(bytes)
wides = st.lists(st.sampled_from("abAB\xe9\u1234\uff21"), max_size=60).map("".join)
examples = settings(max_examples=120, deadline=None)


@cache
def _guest(dll: str) -> Guest:
    return Guest(dll)


def _wide(text: str) -> bytes:
    return (text + "\0").encode("utf-16-le")


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _compare(left: object, right: object) -> int:
    return (left > right) - (left < right)  # type: ignore[operator]


@every
@examples
@given(
    size=st.integers(0, 200), source=st.integers(0, 250), target=st.integers(0, 250), routine=st.booleans()
)
def test_memmove(dll: str, size: int, source: int, target: int, *, routine: bool) -> None:
    """Overlapping or not, the target holds what the source held, and nothing around it changes."""
    guest = _guest(dll)
    area = bytearray(i * 7 & 0xFF for i in range(512))
    base = guest.place(bytes(area))
    name = "memcpy" if routine else "memmove"
    assert guest.call(name, base + target, base + source, size) == base + target
    area[target : target + size] = area[source : source + size]
    assert guest.read(base, 512) == bytes(area)


@every
@examples
@given(size=st.integers(0, 150), offset=offsets, value=st.integers(-(2**31), 2**31 - 1))
def test_memset(dll: str, size: int, offset: int, value: int) -> None:
    """The low byte of the value fills exactly that many bytes."""
    guest = _guest(dll)
    base = guest.place(b"\x55" * 200)
    assert guest.call("memset", base + offset, value, size) == base + offset
    assert guest.read(base, 200) == b"\x55" * offset + bytes([value & 0xFF]) * size + b"\x55" * (
        200 - offset - size
    )


@every
@examples
@given(left=texts, right=texts, wanted=few, first=offsets, second=offsets)
def test_memory_searches(dll: str, left: bytes, right: bytes, wanted: int, first: int, second: int) -> None:
    """Memory is ordered as unsigned bytes; memchr finds the first match."""
    guest = _guest(dll)
    size = min(len(left), len(right))
    a, b = guest.place(left, first), guest.place(right, second)
    assert guest.call32("memcmp", a, b, size) == _compare(left[:size], right[:size])
    found = left.find(wanted)
    assert guest.call("memchr", a, wanted, len(left)) == (a + found if found >= 0 else 0)


@every
@examples
@given(text=texts, part=texts.map(lambda part: part[:3]), wanted=few, first=offsets)
def test_string_searches(dll: str, text: bytes, part: bytes, wanted: int, first: int) -> None:
    """strchr, strrchr and strstr find what Python finds; the terminator can be looked for too."""
    guest = _guest(dll)
    a, b = guest.place(text + b"\0", first), guest.place(part + b"\0")

    def address(index: int) -> int:
        return a + index if index >= 0 else 0

    assert guest.call("strchr", a, wanted) == address(text.find(wanted))
    assert guest.call("strrchr", a, wanted) == address(text.rfind(wanted))
    assert guest.call("strstr", a, b) == address(text.find(part))
    assert guest.call("strchr", a, 0) == guest.call("strrchr", a, 0) == a + len(text)


@every
@examples
@given(text=wides, part=wides.map(lambda part: part[:3]), wanted=st.sampled_from("ab\xe9\u1234"), odd=offsets)
def test_wide_searches(dll: str, text: str, part: str, wanted: str, odd: int) -> None:
    """The same for UTF-16 units, at odd addresses as well."""
    guest = _guest(dll)
    a, b = guest.place(_wide(text), odd), guest.place(_wide(part))

    def address(index: int) -> int:
        return a + 2 * index if index >= 0 else 0

    assert guest.call("wcschr", a, ord(wanted)) == address(text.find(wanted))
    assert guest.call("wcsrchr", a, ord(wanted)) == address(text.rfind(wanted))
    assert guest.call("wcsstr", a, b) == address(text.find(part))


@both
@examples
@given(left=texts, right=texts, limit=st.integers(0, 70), first=offsets, second=offsets)
def test_string_comparisons(dll: str, left: bytes, right: bytes, limit: int, first: int, second: int) -> None:
    """Ordered by unsigned bytes; without case ASCII letters alone are folded."""
    guest = _guest(dll)
    a, b = guest.place(left + b"\0", first), guest.place(right + b"\0", second)
    assert guest.call("strlen", a) == len(left)
    assert guest.call("strnlen", a, limit) == min(limit, len(left))
    assert _sign(guest.call32("strcmp", a, b)) == _compare(left, right)
    assert _sign(guest.call32("strncmp", a, b, limit)) == _compare(left[:limit], right[:limit])
    assert _sign(guest.call32("_stricmp", a, b)) == _compare(left.lower(), right.lower())
    assert _sign(guest.call32("_strnicmp", a, b, limit)) == _compare(
        left[:limit].lower(), right[:limit].lower()
    )
    assert guest.call("strspn", a, b) == len(left) - len(left.lstrip(right) if right else left)


@both
@examples
@given(left=wides, right=wides, limit=st.integers(0, 70), first=offsets)
def test_wide_comparisons(dll: str, left: str, right: str, limit: int, first: int) -> None:
    """UTF-16 units in order of their numbers, at odd addresses as well."""
    guest = _guest(dll)
    a, b = guest.place(_wide(left), first), guest.place(_wide(right))
    fold = str.maketrans("AB", "ab")
    assert guest.call("wcslen", a) == len(left)
    assert guest.call("wcsnlen", a, limit) == min(limit, len(left))
    assert _sign(guest.call32("wcscmp", a, b)) == _compare(left, right)
    assert _sign(guest.call32("wcsncmp", a, b, limit)) == _compare(left[:limit], right[:limit])
    assert _sign(guest.call32("_wcsicmp", a, b)) == _compare(left.translate(fold), right.translate(fold))


@both
@examples
@given(left=texts, right=texts, limit=st.integers(0, 70))
def test_copies(dll: str, left: bytes, right: bytes, limit: int) -> None:
    """Copies and joins end in one terminator; strncpy fills up with zeros and may leave none."""
    guest = _guest(dll)
    source = guest.place(right + b"\0")
    for name, bound, expected in (
        ("strcpy", (), right + b"\0"),
        ("strcat", (), left + right + b"\0"),
        ("strncat", (limit,), left + right[:limit] + b"\0"),
        ("strncpy", (limit,), right[:limit].ljust(limit, b"\0")),
    ):
        target = guest.place((left + b"\0").ljust(200, b"\x55"))
        before = guest.read(target, 200)
        assert guest.call(name, target, source, *bound) == target
        assert guest.read(target, 200) == expected + before[len(expected) :]


@both
@examples
@given(left=wides, right=wides, limit=st.integers(0, 70))
def test_wide_copies(dll: str, left: str, right: str, limit: int) -> None:
    """The same for UTF-16."""
    guest = _guest(dll)
    source = guest.place(_wide(right))
    for name, bound, expected in (
        ("wcscpy", (), _wide(right)),
        ("wcscat", (), _wide(left + right)),
        ("wcsncat", (limit,), _wide(left + right[:limit])),
        ("wcsncpy", (limit,), right[:limit].ljust(limit, "\0").encode("utf-16-le")),
    ):
        target = guest.place(_wide(left).ljust(400, b"\x55"))
        before = guest.read(target, 400)
        assert guest.call(name, target, source, *bound) == target
        assert guest.read(target, 400) == expected + before[len(expected) :]


@pytest.mark.parametrize("size", range(20))
def test_nothing_is_read_past_the_end(size: int) -> None:
    """A string that ends with its page is measured and searched without a fault."""
    guest = _guest(NTDLL)
    text = guest.at_page_end(b"a" * size + b"\0")
    assert guest.call("strlen", text) == size
    assert guest.call("strchr", text, ord("b")) == 0
    assert guest.call("memchr", text, ord("b"), size + 1) == 0
    assert guest.call("strcmp", text, text) == 0
    wide = guest.at_page_end(_wide("a" * size))
    assert guest.call("wcslen", wide) == size
    end = ARENA + ARENA_SIZE - size
    assert guest.call("memmove", end - 64, end, size) == end - 64
    assert guest.call("memcmp", end, end, size) == 0
    guest.call("memset", end, 1, size)


CLASSES = {
    "isupper": lambda c: 65 <= c <= 90,
    "islower": lambda c: 97 <= c <= 122,
    "isdigit": lambda c: 48 <= c <= 57,
    "isxdigit": lambda c: chr(c) in "0123456789abcdefABCDEF",
    "isspace": lambda c: c in {9, 10, 11, 12, 13, 32},
    "isalpha": lambda c: c < 128 and chr(c).isalpha(),
    "isalnum": lambda c: c < 128 and chr(c).isalnum(),
    "iscntrl": lambda c: c < 32 or c == 127,
    "isprint": lambda c: 32 <= c < 127,
    "isgraph": lambda c: 33 <= c < 127,
    "ispunct": lambda c: 33 <= c < 127 and not chr(c).isalnum(),
}


@both
@pytest.mark.parametrize("name", sorted(CLASSES))
def test_character_classes(dll: str, name: str) -> None:
    """The C locale's classes for every byte and for EOF."""
    guest = _guest(dll)
    found = [c for c in range(256) if guest.call32(name, c)]
    assert found == [c for c in range(256) if CLASSES[name](c)]
    assert guest.call32(name, -1) == 0


@both
def test_case(dll: str) -> None:
    """Case folds in ASCII alone."""
    guest = _guest(dll)
    assert [guest.call32("tolower", c) for c in range(256)] == list(bytes(range(256)).lower())
    assert [guest.call32("toupper", c) for c in range(256)] == list(bytes(range(256)).upper())


@examples
@given(
    text=st.from_regex(r"[ \t]*[-+]?(0x)?[0-9a-gA-G]{0,14}", fullmatch=True),
    base=st.sampled_from([0, 8, 10, 16, 36]),
)
def test_numbers(text: str, base: int) -> None:
    """Parsing stops at the first strange character and clamps to 32 bits; wcstol says the same."""
    guest, end = _guest(NTDLL), _guest(NTDLL).place(bytes(8))
    narrow, wide = guest.place(text.encode() + b"\0"), guest.place(_wide(text))
    rest = text.lstrip(" \t")
    body = rest[1:] if rest[:1] in {"-", "+"} else rest
    radix = base
    skipped = len(text) - len(body)
    if base in {0, 16} and body[:2] == "0x" and body[2:3] and body[2] in "0123456789abcdefABCDEF":
        body, radix, skipped = body[2:], 16, skipped + 2
    elif base == 0:
        radix = 8 if body[:1] == "0" else 10
    count = 0
    while (
        count < len(body)
        and body[count] in "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
        and int(body[count], 36) < radix
    ):
        count += 1
    value = int(body[:count], radix) if count else 0
    value = -value if rest[:1] == "-" else value
    expected = max(-(2**31), min(2**31 - 1, value))
    assert guest.call32("strtol", narrow, end, base) == expected
    assert guest.u64(end) - narrow == (skipped + count if count else 0)
    assert guest.call32("wcstol", wide, end, base) == expected
    assert guest.u64(end) - wide == 2 * (skipped + count if count else 0)


# int32 comparison: mov eax,[rcx]; cmp eax,[rdx]; setg al; setl cl; sub al,cl; movsx eax,al; ret
COMPARE = bytes.fromhex("8b013b020f9fc00f9cc128c80fbec0c3")


@both
@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(-50, 50) | st.integers(-(2**31), 2**31 - 1), max_size=200),
    width=st.sampled_from([4, 8, 12, 24]),
)
def test_qsort(dll: str, values: list[int], width: int) -> None:
    """Elements of any width come out ordered and complete; bsearch finds each."""
    guest = _guest(dll)
    items = [
        struct.pack("<i", value) + bytes([index & 0xFF]) * (width - 4) for index, value in enumerate(values)
    ]
    base, compare = guest.place(b"".join(items)), guest.place(COMPARE)
    guest.call("qsort", base, len(values), width, compare)
    ordered = [guest.read(base + width * index, width) for index in range(len(values))]
    assert [struct.unpack_from("<i", item)[0] for item in ordered] == sorted(values)
    assert sorted(ordered) == sorted(items)
    for value in values[:5]:
        key = guest.place(struct.pack("<i", value))
        found = guest.call("bsearch", key, base, len(values), width, compare)
        assert struct.unpack("<i", guest.read(found, 4))[0] == value
    key = guest.place(struct.pack("<i", 77))
    if 77 not in values:
        assert guest.call("bsearch", key, base, len(values), width, compare) == 0


def test_qsort_hard_orders() -> None:
    """Ordered, reversed and equal elements take n log n comparisons, not n squared."""
    guest = _guest(UCRT)
    # The same, counting calls at [rip]: inc qword [rip+counter]
    code = guest.place(bytes.fromhex("48ff0519000000") + COMPARE + bytes(40))
    counter = code + 7 + 0x19
    for values in (range(2000), range(2000, 0, -1), [5] * 2000, [*range(1000), *range(1000)]):
        base = guest.place(struct.pack("<2000i", *values))
        guest.write(counter, bytes(8))
        guest.call("qsort", base, 2000, 4, code)
        assert struct.unpack("<2000i", guest.read(base, 8000)) == tuple(sorted(values))
        assert guest.u64(counter) < 80_000


def test_initialisers() -> None:
    """_initterm skips NULL entries; _initterm_e stops at the first failure and returns it."""
    guest = _guest(UCRT)
    # inc dword [rip+0x19]; mov eax,[rip+…] is not needed: return the constant
    succeed = guest.place(bytes.fromhex("31c0c3"))
    fail = guest.place(bytes.fromhex("b807000000c3"))
    table = guest.place(struct.pack("<4Q", 0, succeed, fail, 0))
    assert guest.call32("_initterm_e", table, table + 32) == 7
    assert guest.call32("_initterm_e", table, table + 16) == 0
    guest.call("_initterm", table, table + 32)


def test_unicode_strings() -> None:
    """RtlInitUnicodeString counts bytes, leaves room for the terminator, and clears for NULL."""
    guest, target = _guest(NTDLL), _guest(NTDLL).place(b"\x55" * 16)
    text = guest.place(_wide("abc"))
    guest.call("RtlInitUnicodeString", target, text)
    assert struct.unpack("<HH4xQ", guest.read(target, 16)) == (6, 8, text)
    guest.call("RtlInitUnicodeString", target, 0)
    assert struct.unpack("<HH4xQ", guest.read(target, 16)) == (0, 0, 0)
    long = guest.place(_wide("x" * 40000))
    guest.call("RtlInitUnicodeString", target, long)
    assert struct.unpack("<HH", guest.read(target, 4)) == (0xFFFC, 0xFFFE)
    assert guest.call("RtlInitUnicodeStringEx", target, long) & 0xFFFFFFFF == 0xC0000106


@examples
@given(left=texts, right=texts)
def test_compare_memory(left: bytes, right: bytes) -> None:
    """RtlCompareMemory counts the bytes that are equal from the start."""
    guest = _guest(NTDLL)
    size = min(len(left), len(right))
    same = next((i for i in range(size) if left[i] != right[i]), size)
    assert guest.call("RtlCompareMemory", guest.place(left, 3), guest.place(right), size) == same
