"""Weaker copies of a token: groups for deny only, privileges taken away, restricting SIDs added."""

from __future__ import annotations

from dataclasses import replace

from ntos.abi import se as constants
from ntos.rtl import sid as sids
from ntos.se.claims import DENY_ONLY, ELEVATED_PRIVILEGES, ENABLED, Claims, Group, is_elevated_group
from ntos.se.token import Token, birth_of, create


def filter_token(
    token: Token,
    flags: int = 0,
    *,
    disable: tuple[bytes, ...] = (),
    remove: int = 0,
    restrict: tuple[bytes, ...] = (),
) -> Token:
    """A weaker copy: groups for deny only, privileges taken away, restricting SIDs added (SeFilterToken)."""
    claims = token.claims
    lua = bool(flags & constants.LUA_TOKEN)
    groups = tuple(
        _for_deny_only(group) if group.sid in disable or (lua and is_elevated_group(group.sid)) else group
        for group in claims.groups
    )
    if flags & constants.DISABLE_MAX_PRIVILEGE:
        remove |= ~(1 << constants.SE_PRIVILEGE.CHANGE_NOTIFY)
    if lua:
        remove |= ELEVATED_PRIVILEGES
    restricted = _restrict(claims, restrict)
    mark = claims.flags | constants.TOKEN_IS_FILTERED
    mark |= constants.TOKEN_SANDBOX_INERT if flags & constants.SANDBOX_INERT else 0
    mark |= constants.TOKEN_IS_RESTRICTED if restricted else 0
    mark |= constants.TOKEN_WRITE_RESTRICTED if restricted and flags & constants.WRITE_RESTRICTED else 0
    owner = claims.owner_index if groups[claims.owner_index].attributes & DENY_ONLY == 0 else 0
    weaker = replace(
        claims,
        groups=groups,
        present=claims.present & ~remove,
        enabled=claims.enabled & ~remove,
        enabled_by_default=claims.enabled_by_default & ~remove,
        restricted=restricted,
        flags=mark,
        owner_index=owner,
    )
    if lua:
        weaker = _at_most_medium(weaker)
    return create(token.kernel, weaker, replace(birth_of(token), parent=token.id, modified=0))


def _for_deny_only(group: Group) -> Group:
    kept = group.attributes & ~(ENABLED | constants.SE_GROUP_ENABLED_BY_DEFAULT | constants.SE_GROUP_OWNER)
    return Group(group.sid, kept | DENY_ONLY)


def _restrict(claims: Claims, restrict: tuple[bytes, ...]) -> tuple[Group, ...]:
    """The restricting SIDs: those already there stay only where they are named again."""
    if not restrict:
        return claims.restricted
    if not claims.restricted:
        return tuple(Group(sid) for sid in restrict)
    return tuple(group for group in claims.restricted if group.sid in restrict)


def _at_most_medium(claims: Claims) -> Claims:
    index = claims.integrity_index
    if claims.level <= 0x2000 or index >= len(claims.groups):
        return claims
    label = Group(sids.MEDIUM_LABEL, claims.groups[index].attributes)
    return replace(claims, groups=(*claims.groups[:index], label, *claims.groups[index + 1 :]))
