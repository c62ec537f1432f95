"""Mitigation policies: which bits of EPROCESS.MitigationFlags a PROCESS_MITIGATION_POLICY is made of."""

from __future__ import annotations

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


def policy_flags(eprocess: EPROCESS, policy: int) -> int:
    """The Flags of a policy as they are in force. INVALID_PARAMETER for policies without an answer."""
    if policy == POLICY.ProcessDEPPolicy:
        return DEP_PERMANENT  # 64-bit programs have it always
    if policy in {POLICY.ProcessStrictHandleCheckPolicy, POLICY.ProcessChildProcessPolicy}:
        return 0
    bits = BITS.get(policy)
    if bits is None:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("mitigation policy", {"Policy": policy}))
    words = (int(eprocess.MitigationFlags), int(eprocess.MitigationFlags2))
    return sum((words[word] >> source & 1) << bit for bit, word, source in bits)
