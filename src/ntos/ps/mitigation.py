"""Mitigation policies: which bits of EPROCESS.MitigationFlags a PROCESS_MITIGATION_POLICY is made of, and the map of
options a process is created with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.ps import PROCESS_MITIGATION_POLICY as POLICY
from ntos.abi.status import STATUS, Denied, NtError

if TYPE_CHECKING:
    from ntos.abi.layout.process import EPROCESS

FIRST, SECOND = 0, 1
BITS: dict[int, tuple[tuple[int, int, int], ...]] = {
    POLICY.ProcessASLRPolicy: ((1, FIRST, 4), (2, FIRST, 5), (3, FIRST, 3)),
    POLICY.ProcessDynamicCodePolicy: ((0, FIRST, 8), (1, FIRST, 9), (2, FIRST, 10), (3, FIRST, 11)),
    POLICY.ProcessSystemCallDisablePolicy: ((0, FIRST, 12), (1, FIRST, 13)),
    POLICY.ProcessExtensionPointDisablePolicy: ((0, FIRST, 7),),
    POLICY.ProcessControlFlowGuardPolicy: ((0, FIRST, 0), (1, FIRST, 1), (2, FIRST, 2)),
    POLICY.ProcessSignaturePolicy: ((2, FIRST, 23), (3, FIRST, 24)),
    POLICY.ProcessFontDisablePolicy: ((0, FIRST, 16), (1, FIRST, 17)),
    POLICY.ProcessImageLoadPolicy: (
        (0, FIRST, 19),
        (1, FIRST, 21),
        (2, FIRST, 18),
        (3, FIRST, 20),
        (4, FIRST, 22),
    ),
    POLICY.ProcessSystemCallFilterPolicy: ((0, FIRST, 14), (1, FIRST, 15)),
    POLICY.ProcessSideChannelIsolationPolicy: (
        (0, FIRST, 30),
        (1, FIRST, 31),
        (2, SECOND, 12),
        (3, SECOND, 13),
    ),
    POLICY.ProcessUserShadowStackPolicy: ((0, SECOND, 14), (1, SECOND, 15), (2, SECOND, 17), (4, SECOND, 20)),
}
"""Policy to (bit of its Flags, which word, bit of that word); winnt.h and structures.md section 2."""
DEP_PERMANENT = 1


def policy_flags(eprocess: EPROCESS, policy: int, *, no_children: bool = False) -> int:
    """The Flags of a policy as they are in force. INVALID_PARAMETER for policies without an answer."""
    if policy == POLICY.ProcessChildProcessPolicy:
        return int(no_children)
    if policy == POLICY.ProcessDEPPolicy:
        return DEP_PERMANENT  # 64-bit programs have it always
    if policy == POLICY.ProcessStrictHandleCheckPolicy:
        return 0
    bits = BITS.get(policy)
    if bits is None:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("mitigation policy", {"Policy": policy}))
    words = (int(eprocess.MitigationFlags), int(eprocess.MitigationFlags2))
    return sum((words[word] >> source & 1) << bit for bit, word, source in bits)


# ---------------------------------------------------------------- PS_ATTRIBUTE_MITIGATION_OPTIONS

MAP_SIZE = 24
NIBBLES = 32
DEFER, ALWAYS_ON, ALWAYS_OFF, SPECIAL = range(4)
NX, SEHOP, HEAP_TERMINATE, BOTTOM_UP, HIGH_ENTROPY, EXTENSION_POINTS, FONTS = 0, 1, 3, 4, 5, 8, 12
NO_REMOTE_IMAGES, RESTRICT_CHILDREN = 13, 25
ALREADY_SO = frozenset((NX, SEHOP, HEAP_TERMINATE, BOTTOM_UP))
"""On in every 64-bit process, without a bit that says so."""
REPORTED: dict[tuple[int, int], str] = {
    (HIGH_ENTROPY, ALWAYS_ON): "HighEntropyASLREnabled",
    (EXTENSION_POINTS, ALWAYS_ON): "ExtensionPointDisable",
    (FONTS, ALWAYS_ON): "DisableNonSystemFonts",
    (FONTS, SPECIAL): "AuditNonSystemFontLoading",
    (NO_REMOTE_IMAGES, ALWAYS_ON): "ProhibitRemoteImageMap",
}
"""Policies that hold without anybody's doing: there are no extension points, no fonts to load and no remote volumes,
and the address space is always the large one."""
ALWAYS_OFF_REFUSED = frozenset((NX, SEHOP, HEAP_TERMINATE, BOTTOM_UP, HIGH_ENTROPY))
"""What a 64-bit process cannot be made without here."""


@dataclass(frozen=True, slots=True)
class Options:
    """The map: one nibble a policy (protected-processes.md section 11)."""

    values: tuple[int, ...]

    @classmethod
    def parse(cls, data: bytes) -> Options:
        """Read a map; INVALID_PARAMETER for a wrong size, NOT_SUPPORTED for a policy nobody would enforce."""
        if len(data) not in {8, 16, MAP_SIZE}:
            raise NtError(STATUS.INVALID_PARAMETER, Denied("mitigation options size", {"size": len(data)}, "24"))
        nibbles = [nibble for byte in data for nibble in (byte & 15, byte >> 4)]
        for index, value in enumerate(nibbles):
            _check_policy(index, value)
        return cls(tuple(nibbles))

    @property
    def restricts_children(self) -> bool:
        """The process may not create others."""
        return len(self.values) > RESTRICT_CHILDREN and self.values[RESTRICT_CHILDREN] == ALWAYS_ON

    def apply(self, eprocess: EPROCESS) -> None:
        """Set what is in force in the flags of a new process."""
        for index, value in enumerate(self.values):
            name = REPORTED.get((index, value))
            if name is not None:
                setattr(eprocess.MitigationFlagsValues, name, 1)


def _check_policy(index: int, value: int) -> None:
    if value == DEFER:
        return
    inputs = {"policy": index, "value": value}
    if index >= NIBBLES or value > SPECIAL:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("no such mitigation option", inputs))
    fits = (
        index not in ALWAYS_OFF_REFUSED if value == ALWAYS_OFF
        else (index, value) in REPORTED or (value == ALWAYS_ON and index in {*ALREADY_SO, RESTRICT_CHILDREN})
    )  # fmt: skip
    if not fits:
        raise NtError(STATUS.NOT_SUPPORTED, Denied("mitigation option that nothing here enforces", inputs, "0"))
