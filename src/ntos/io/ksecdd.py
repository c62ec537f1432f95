r"""\Device\KsecDD: the kernel's end of the local security authority.

Besides random numbers (`cng`) it makes logon sessions for lsass.exe. On Windows lsass asks the security reference
monitor for that by a message to `\SeRmCommandPort`; the control code here is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import FILE_DEVICE_SECURE_OPEN
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS
from ntos.io.cng import FILE_DEVICE_KSEC, Randomness
from ntos.io.device import create_device
from ntos.rtl import marshal
from ntos.se import logon, luid, privileges

if TYPE_CHECKING:
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel

IOCTL_CREATE_LOGON_SESSION = 0x39_0400


class SecurityDriver(Randomness):
    """Random bytes for everybody, logon sessions for who is part of the trusted computer base."""

    name = "KsecDD"

    def device_control(self, request: Request) -> None:
        if request.code != IOCTL_CREATE_LOGON_SESSION:
            super().device_control(request)
            return
        privileges.require(request.thread, SE_PRIVILEGE.TCB)
        account, authority = (marshal.text(field) for field in marshal.unpack(request.data, 2))
        session = luid.allocate(request.thread.kernel)
        logon.create(request.thread.kernel, session, account, authority)
        request.complete(STATUS.SUCCESS, 8, session.to_bytes(8, "little"))


def install(kernel: Kernel) -> None:
    """Make the device."""
    create_device(kernel, SecurityDriver(), "KsecDD", FILE_DEVICE_KSEC, FILE_DEVICE_SECURE_OPEN)
