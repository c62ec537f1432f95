"""What phase 0 needs of security: accounts, logon sessions, the SYSTEM token, the check in the object
manager.
"""

from __future__ import annotations

from ntos.ke.kernel import Kernel
from ntos.ob.manager import ObjectManager
from ntos.se import account, security, well_known
from ntos.se.token import TYPE, Token


def initialize(
    kernel: Kernel,
    *,
    machine: str = "DESKTOP-NTOS",
    user: str = "user",
    administrator: bool = False,
    password: str = "",
    seed: int = 0,
) -> Token:
    """Bring security up (SeInitSystem); gives the SYSTEM token, one reference, for the System process.

    Wants the object manager; from here on every open is checked.
    """
    kernel[ObjectManager].register(TYPE)
    account.install(kernel, machine=machine, user=user, administrator=administrator, password=password, seed=seed)
    well_known.install_sessions(kernel)
    token = well_known.system(kernel)
    security.install(kernel)
    return token
