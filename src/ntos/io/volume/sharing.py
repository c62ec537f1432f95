"""Share modes: who may have a file open together with whom ([MS-FSA] 2.1.5.1.2.2; IoCheckShareAccess)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.access import DELETE, FILE_APPEND_DATA, FILE_EXECUTE, FILE_READ_DATA, FILE_WRITE_DATA
from ntos.abi.io import FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE
from ntos.abi.status import STATUS, Denied, NtError

if TYPE_CHECKING:
    from collections.abc import Iterator

READING = FILE_READ_DATA | FILE_EXECUTE
WRITING = FILE_WRITE_DATA | FILE_APPEND_DATA


@dataclass(frozen=True, slots=True)
class Claim:
    """What one open does and what it lets others do."""

    reads: bool
    writes: bool
    deletes: bool
    share: int

    @classmethod
    def of(cls, access: int, share: int) -> Claim:
        """From a granted access mask and the share mode asked for."""
        return cls(bool(access & READING), bool(access & WRITING), bool(access & DELETE), share)

    @property
    def counts(self) -> bool:
        """Opens that only look at attributes neither disturb nor are disturbed."""
        return self.reads or self.writes or self.deletes

    def conflict(self, other: Claim) -> str:
        """Which right of the one the other does not share; empty when they get along."""
        for name, does, theirs, bit in (
            ("read", self.reads, other.reads, FILE_SHARE_READ),
            ("write", self.writes, other.writes, FILE_SHARE_WRITE),
            ("delete", self.deletes, other.deletes, FILE_SHARE_DELETE),
        ):
            if does and not other.share & bit:
                return f"an open that does not share {name}"
            if theirs and not self.share & bit:
                return f"this open does not share {name}, which another one has"
        return ""


class ShareAccess:
    """The claims of all opens of one node (SHARE_ACCESS)."""

    __slots__ = ("_claims",)

    def __init__(self) -> None:
        self._claims: dict[int, Claim] = {}

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._claims.values())

    def check(self, claim: Claim, path: str = "") -> None:
        """SHARING_VIOLATION if `claim` cannot stand beside those there are."""
        if not claim.counts:
            return
        for other in self._claims.values():
            reason = claim.conflict(other)
            if reason:
                raise NtError(
                    STATUS.SHARING_VIOLATION,
                    because=Denied(
                        "share mode",
                        {"path": path, "wanted": _words(claim), "held": _words(other), "conflict": reason},
                        "close the other open, or let both share what the other does",
                    ),
                )

    def add(self, owner: int, claim: Claim) -> None:
        """Count an open of the file object at `owner`."""
        if claim.counts:
            self._claims[owner] = claim

    def remove(self, owner: int) -> None:
        """The open is cleaned up."""
        self._claims.pop(owner, None)

    def claim(self, owner: int) -> Claim | None:
        """What the file object at `owner` holds."""
        return self._claims.get(owner)


def _words(claim: Claim) -> str:
    does = [
        word for word, on in (("read", claim.reads), ("write", claim.writes), ("delete", claim.deletes)) if on
    ]
    bits = (("read", FILE_SHARE_READ), ("write", FILE_SHARE_WRITE), ("delete", FILE_SHARE_DELETE))
    shares = [word for word, bit in bits if claim.share & bit]
    return f"{'+'.join(does) or 'nothing'}, shares {'+'.join(shares) or 'nothing'}"
