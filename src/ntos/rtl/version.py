"""Version conditions: what VerifyVersionInfo asks of an OSVERSIONINFOEX."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ntos.abi.status import STATUS, NtError


class VersionType(enum.IntFlag):
    """Which members a comparison looks at (VER_MINORVERSION…)."""

    MINOR = 0x01
    MAJOR = 0x02
    BUILD = 0x04
    PLATFORM = 0x08
    SERVICE_PACK_MINOR = 0x10
    SERVICE_PACK_MAJOR = 0x20
    SUITE = 0x40
    PRODUCT_TYPE = 0x80


class Condition(enum.IntEnum):
    """How a member is compared (VER_EQUAL…)."""

    EQUAL = 1
    GREATER = 2
    GREATER_EQUAL = 3
    LESS = 4
    LESS_EQUAL = 5
    AND = 6
    OR = 7


@dataclass(frozen=True, slots=True)
class Version:
    """The members of an OSVERSIONINFOEX that can be compared."""

    major: int = 0
    minor: int = 0
    build: int = 0
    platform: int = 2
    service_pack_major: int = 0
    service_pack_minor: int = 0
    suite: int = 0
    product_type: int = 1


def set_condition_mask(mask: int, kind: int, condition: int) -> int:
    """The mask with the condition for the highest of the given members (VerSetConditionMask)."""
    kind &= 0xFF
    return mask | (condition & 7) << (3 * (kind.bit_length() - 1)) if kind else mask


def verify(current: Version, wanted: Version, kinds: int, mask: int) -> bool:
    """Whether the current version meets the conditions (RtlVerifyVersionInfo)."""
    if not kinds or not mask:
        raise NtError(STATUS.INVALID_PARAMETER)
    if kinds & VersionType.SUITE and not _suite(current.suite, wanted.suite, _condition(mask, 6)):
        return False
    single = (
        (VersionType.PRODUCT_TYPE, 7, current.product_type, wanted.product_type),
        (VersionType.PLATFORM, 3, current.platform, wanted.platform),
        (VersionType.BUILD, 2, current.build, wanted.build),
    )
    for kind, index, have, want in single:
        if kinds & kind and not _compare(have, want, _condition(mask, index)):
            return False
    return _hierarchy(current, wanted, kinds, mask)


def _condition(mask: int, index: int) -> int:
    return mask >> (3 * index) & 7


def _suite(have: int, want: int, condition: int) -> bool:
    if condition == Condition.AND:
        return have & want == want
    if condition == Condition.OR:
        return bool(have & want) or not want
    raise NtError(STATUS.INVALID_PARAMETER)


def _compare(have: int, want: int, condition: int) -> bool:
    if condition == Condition.EQUAL:
        return have == want
    if condition == Condition.GREATER:
        return have > want
    if condition == Condition.GREATER_EQUAL:
        return have >= want
    if condition == Condition.LESS:
        return have < want
    if condition == Condition.LESS_EQUAL:
        return have <= want
    raise NtError(STATUS.INVALID_PARAMETER)


def _hierarchy(current: Version, wanted: Version, kinds: int, mask: int) -> bool:
    """Major, minor and service pack are one number: a member counts only if those before are equal."""
    members = (
        (VersionType.MAJOR, 1, current.major, wanted.major),
        (VersionType.MINOR, 0, current.minor, wanted.minor),
        (VersionType.SERVICE_PACK_MAJOR, 5, current.service_pack_major, wanted.service_pack_major),
        (VersionType.SERVICE_PACK_MINOR, 4, current.service_pack_minor, wanted.service_pack_minor),
    )
    asked = [(index, have, want) for kind, index, have, want in members if kinds & kind]
    first = 0
    result = True
    for index, have, want in asked:
        own = _condition(mask, index)
        if first in {0, Condition.EQUAL}:
            first = own or first
        result = _compare(have, want, _later(first, own))
        if have != want:
            return result
    return result


def _later(earlier: int, own: int) -> int:
    """The condition for a member after one compared by `earlier`: one that points the other way gives way."""
    if earlier in {Condition.GREATER, Condition.GREATER_EQUAL}:
        fitting = {Condition.EQUAL, Condition.GREATER, Condition.GREATER_EQUAL}
    else:
        fitting = {Condition.EQUAL, Condition.LESS, Condition.LESS_EQUAL}
    return own if own in fitting else earlier
