"""Privileges: what a token may do whatever a descriptor says, once the privilege is enabled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ntos.abi.se import (
    SE_PRIVILEGE,
    SE_PRIVILEGE_ENABLED,
    SE_PRIVILEGE_ENABLED_BY_DEFAULT,
    SE_PRIVILEGE_REMOVED,
)
from ntos.ke.thread import Thread
from ntos.se.access import privilege_not_held
from ntos.se.claims import Claims
from ntos.se.subject import subject
from ntos.se.token import Token

FIRST, LAST = min(SE_PRIVILEGE), max(SE_PRIVILEGE)


@dataclass(frozen=True, slots=True)
class Setting:
    """One privilege and how it counts (LUID_AND_ATTRIBUTES)."""

    privilege: int
    attributes: int


def check(thread: Thread, privilege: int) -> bool:
    """Whether the thread's effective token has the privilege enabled (SeSinglePrivilegeCheck)."""
    return subject(thread).claims.holds(privilege)


def require(thread: Thread, privilege: int) -> None:
    """NtError(PRIVILEGE_NOT_HELD), saying what would flip it, unless the privilege is enabled."""
    claims = subject(thread).claims
    if not claims.holds(privilege):
        raise privilege_not_held(claims, privilege)


def settings(claims: Claims) -> list[Setting]:
    """Every privilege of a token with its attributes, ascending (TOKEN_PRIVILEGES)."""
    found = []
    for number in range(64):
        if claims.present >> number & 1:
            attributes = SE_PRIVILEGE_ENABLED if claims.enabled >> number & 1 else 0
            if claims.enabled_by_default >> number & 1:
                attributes |= SE_PRIVILEGE_ENABLED_BY_DEFAULT
            found.append(Setting(number, attributes))
    return found


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What adjusting would do: the new bitmaps, the former settings of what changes, and whether all was
    there.
    """

    present: int
    enabled: int
    former: list[Setting]
    all_assigned: bool


def plan(claims: Claims, changes: Iterable[Setting]) -> Adjustment:
    """Enable, disable or remove these; privileges the token has not are passed over."""
    present, enabled = claims.present, claims.enabled
    former: list[Setting] = []
    all_assigned = True
    for change in changes:
        bit = 1 << change.privilege if 0 <= change.privilege < 64 else 0
        if not present & bit:
            # Removing what is not there is no failure.
            all_assigned = all_assigned and bool(change.attributes & SE_PRIVILEGE_REMOVED)
            continue
        was_on = bool(enabled & bit)
        if change.attributes & SE_PRIVILEGE_REMOVED:
            present &= ~bit
            enabled &= ~bit
            former.append(_former(claims, change.privilege))
        elif bool(change.attributes & SE_PRIVILEGE_ENABLED) != was_on:
            enabled ^= bit
            former.append(_former(claims, change.privilege))
    return Adjustment(present, enabled, former, all_assigned)


def plan_all_off(claims: Claims) -> Adjustment:
    """Disable everything."""
    former = [_former(claims, number) for number in range(64) if claims.enabled >> number & 1]
    return Adjustment(claims.present, 0, former, all_assigned=True)


def _former(claims: Claims, privilege: int) -> Setting:
    return next(setting for setting in settings(claims) if setting.privilege == privilege)


def apply(token: Token, adjustment: Adjustment) -> None:
    """Write an adjustment into the token."""
    if adjustment.former:
        token.set_privileges(adjustment.present, adjustment.enabled)
        token.touch()
