r"""\Device\CNG (and, in `ksecdd`, \Device\KsecDD): the kernel's random numbers, for bcryptprimitives and RtlGenRandom.

Both answer the same control codes (ntddksec.h: IOCTL_KSEC_RNG, IOCTL_KSEC_RNG_REKEY) with as many random bytes as
the output buffer holds. The bytes come from the machine's seed, so a run can be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import FILE_DEVICE_SECURE_OPEN
from ntos.abi.status import STATUS, NtError
from ntos.io.device import create_device
from ntos.io.driver import Driver

if TYPE_CHECKING:
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel

FILE_DEVICE_KSEC = 0x39
IOCTL_KSEC_RNG = 0x39_0004
IOCTL_KSEC_RNG_REKEY = 0x39_0008


class Randomness(Driver):
    """Gives random bytes."""

    name = "CNG"

    def device_control(self, request: Request) -> None:
        if request.code not in {IOCTL_KSEC_RNG, IOCTL_KSEC_RNG_REKEY}:
            raise NtError(STATUS.INVALID_DEVICE_REQUEST)
        data = request.thread.kernel.random.randbytes(request.length)
        request.complete(STATUS.SUCCESS, len(data), data)


def install(kernel: Kernel) -> None:
    """Make the device."""
    create_device(kernel, Randomness(), "CNG", FILE_DEVICE_KSEC, FILE_DEVICE_SECURE_OPEN)
