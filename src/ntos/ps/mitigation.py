"""Mitigation policies: which bits of EPROCESS.MitigationFlags a PROCESS_MITIGATION_POLICY is made of, and the map of
options a process is created with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.ps import PROCESS_MITIGATION_POLICY as POLICY
from ntos.abi.se import TOKEN_NO_CHILD_PROCESS
from ntos.abi.status import STATUS, Denied, NtError

if TYPE_CHECKING:
    from ntos.abi.layout.process import EPROCESS
    from ntos.se.token import Token

FIRST, SECOND = 0, 1
BITS: dict[int, tuple[tuple[int, int, int], ...]] = {
    POLICY.ProcessASLRPolicy: ((1, FIRST, 4), (2, FIRST, 5), (3, FIRST, 3)),
    POLICY.ProcessDynamicCodePolicy: ((0, FIRST, 8), (1, FIRST, 9), (2, FIRST, 10), (3, FIRST, 11)),
    POLICY.ProcessSystemCallDisablePolicy: ((0, FIRST, 12), (1, FIRST, 13)),
    POLICY.ProcessExtensionPointDisablePolicy: ((0, FIRST, 7),),
    POLICY.ProcessControlFlowGuardPolicy: ((0, FIRST, 0), (1, FIRST, 1), (2, FIRST, 2)),
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
STORE, MICROSOFT = 6, 8
"""SE_SIGNING_LEVEL."""


def policy_flags(eprocess: EPROCESS, policy: int, *, no_children: bool = False) -> int:
    """The Flags of a policy as they are in force. INVALID_PARAMETER for policies without an answer."""
    if policy == POLICY.ProcessChildProcessPolicy:
        return int(no_children)
    if policy == POLICY.ProcessDEPPolicy:
        return DEP_PERMANENT  # 64-bit programs have it always
    if policy == POLICY.ProcessStrictHandleCheckPolicy:
        return 0
    if policy == POLICY.ProcessSignaturePolicy:
        return _signature_flags(eprocess)
    bits = BITS.get(policy)
    if bits is None:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("mitigation policy", {"Policy": policy}))
    words = (int(eprocess.MitigationFlags), int(eprocess.MitigationFlags2))
    return sum((words[word] >> source & 1) << bit for bit, word, source in bits)


def _signature_flags(eprocess: EPROCESS) -> int:
    """MicrosoftSignedOnly, StoreSignedOnly, MitigationOptIn: the level every mapped image must have says which."""
    level = int(eprocess.SectionSignatureLevel) & 0xF
    opted_in = eprocess.MitigationFlagsValues.SignatureMitigationOptIn
    return int(level >= MICROSOFT) | int(level == STORE) << 1 | opted_in << 2


# ---------------------------------------------------------------- SetProcessMitigationPolicy

SETTABLE: dict[int, int] = {
    POLICY.ProcessDynamicCodePolicy: 7,
    POLICY.ProcessSystemCallDisablePolicy: 1,
    POLICY.ProcessExtensionPointDisablePolicy: 1,
    POLICY.ProcessSignaturePolicy: 3,
    POLICY.ProcessFontDisablePolicy: 1,
    POLICY.ProcessImageLoadPolicy: 1,
    POLICY.ProcessChildProcessPolicy: 1,
}
"""Policies a process can put on itself while it runs, and the bits of them that something here enforces."""


def set_policy(eprocess: EPROCESS, token: Token, policy: int, flags: int) -> None:
    """Put a policy on a running process; what is on stays on: ACCESS_DENIED."""
    inputs = {"Policy": policy, "Flags": hex(flags)}
    enforced = SETTABLE.get(policy)
    if enforced is None or flags & ~enforced:
        raise NtError(STATUS.NOT_SUPPORTED, Denied("mitigation policy that nothing here enforces", inputs, "0"))
    no_children = bool(int(token.body.TokenFlags) & TOKEN_NO_CHILD_PROCESS)
    current = policy_flags(eprocess, policy, no_children=no_children) & enforced
    if current & ~flags:
        raise NtError(STATUS.ACCESS_DENIED, Denied("a mitigation once on stays on", inputs, hex(current)))
    if policy == POLICY.ProcessChildProcessPolicy:
        token.body.TokenFlags = int(token.body.TokenFlags) | (TOKEN_NO_CHILD_PROCESS if flags else 0)
    elif policy == POLICY.ProcessSignaturePolicy:
        if flags:
            demand_signatures(eprocess, MICROSOFT if flags & 1 else STORE)
    else:
        word = int(eprocess.MitigationFlags)
        for bit, _, target in BITS[policy]:
            word |= (flags >> bit & 1) << target
        eprocess.MitigationFlags = word


def demand_signatures(eprocess: EPROCESS, level: int) -> None:
    """From now on images must be signed that well; a process that is stricter already stays so."""
    if int(eprocess.SectionSignatureLevel) & 0xF < level:
        eprocess.SectionSignatureLevel = level


# ---------------------------------------------------------------- PS_ATTRIBUTE_MITIGATION_OPTIONS

MAP_SIZE = 24
NIBBLES = 32
DEFER, ALWAYS_ON, ALWAYS_OFF, SPECIAL = range(4)
NX, SEHOP, HEAP_TERMINATE, BOTTOM_UP, HIGH_ENTROPY, EXTENSION_POINTS, FONTS = 0, 1, 3, 4, 5, 8, 12
WIN32K_DISABLE, DYNAMIC_CODE, MICROSOFT_SIGNED, NO_REMOTE_IMAGES, RESTRICT_CHILDREN = 7, 9, 11, 13, 25
BRANCH_PREDICTION, STORE_BYPASS, DYNAMIC_CODE_DOWNGRADE = 28, 29, 30
ALREADY_SO = frozenset((NX, SEHOP, HEAP_TERMINATE, BOTTOM_UP))
"""On in every 64-bit process, without a bit that says so."""
REPORTED: dict[tuple[int, int], str] = {
    (WIN32K_DISABLE, ALWAYS_ON): "DisallowWin32kSystemCalls",
    (DYNAMIC_CODE, ALWAYS_ON): "DisableDynamicCode",
    (DYNAMIC_CODE, SPECIAL): "DisableDynamicCode",
    (MICROSOFT_SIGNED, ALWAYS_ON): "SignatureMitigationOptIn",
    (MICROSOFT_SIGNED, SPECIAL): "SignatureMitigationOptIn",
    (BRANCH_PREDICTION, ALWAYS_ON): "RestrictIndirectBranchPrediction",
    (HIGH_ENTROPY, ALWAYS_ON): "HighEntropyASLREnabled",
    (EXTENSION_POINTS, ALWAYS_ON): "ExtensionPointDisable",
    (FONTS, ALWAYS_ON): "DisableNonSystemFonts",
    (FONTS, SPECIAL): "AuditNonSystemFontLoading",
    (NO_REMOTE_IMAGES, ALWAYS_ON): "ProhibitRemoteImageMap",
}
"""The memory manager enforces dynamic code and signatures, and no thread of a process without win32k calls becomes a
GUI thread. The others hold without anybody's doing: there are no
extension points, no fonts to load and no remote volumes, the processor does not speculate, and the address space is
always the large one."""
SECOND_REPORTED = {(STORE_BYPASS, ALWAYS_ON): "SpeculativeStoreBypassDisable"}
ADDED: dict[tuple[int, int], str] = {(DYNAMIC_CODE, SPECIAL): "DisableDynamicCodeAllowOptOut"}
"""A second bit that an option sets."""
SIGNATURE_LEVELS = {ALWAYS_ON: MICROSOFT, SPECIAL: STORE}
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
            for table in (REPORTED, ADDED):
                name = table.get((index, value))
                if name is not None:
                    setattr(eprocess.MitigationFlagsValues, name, 1)
            name = SECOND_REPORTED.get((index, value))
            if name is not None:
                setattr(eprocess.MitigationFlags2Values, name, 1)

    def demand_signatures(self, eprocess: EPROCESS) -> None:
        """What is mapped from now on must be signed; the program itself, mapped before, need not be."""
        level = SIGNATURE_LEVELS.get(self.values[MICROSOFT_SIGNED] if len(self.values) > MICROSOFT_SIGNED else 0)
        if level is not None:
            demand_signatures(eprocess, level)


def _check_policy(index: int, value: int) -> None:
    if value == DEFER:
        return
    inputs = {"policy": index, "value": value}
    if index >= NIBBLES or value > SPECIAL:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("no such mitigation option", inputs))
    fits = index not in ALWAYS_OFF_REFUSED
    if value != ALWAYS_OFF:
        on = value == ALWAYS_ON and index in {*ALREADY_SO, RESTRICT_CHILDREN}
        fits = on or (index, value) in REPORTED or (index, value) in SECOND_REPORTED
    if not fits:
        raise NtError(STATUS.NOT_SUPPORTED, Denied("mitigation option that nothing here enforces", inputs, "0"))
