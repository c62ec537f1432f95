"""All status codes under one name: `STATUS.ACCESS_DENIED`."""

from __future__ import annotations

from ntos.abi.status_errors import ErrorStatus
from ntos.abi.status_errors_later import LaterErrorStatus
from ntos.abi.status_success import SuccessStatus


class STATUS(SuccessStatus, ErrorStatus, LaterErrorStatus):
    """NTSTATUS values without their STATUS_ prefix; those of the debugger keep DBG_."""
