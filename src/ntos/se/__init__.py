"""Security: tokens, privileges, descriptors and the access check.

Windows' security reference monitor answers one question at every open: may the bearer of this token do that
to an object with this descriptor? A token says who one is, in which groups, with which privileges and at
which integrity level; a descriptor says who may do what. Handles then carry the granted rights, and no
further question is asked.

Here tokens are true `_TOKEN` bytes (`token`), read into a value (`claims`) on which the pure check works
(`access`). Descriptors are self-relative bytes that OBJECT_HEADER.SecurityDescriptor points to (`security`);
`install` puts the check into the object manager, so that **every open is checked**. A refusal is a value: it
names the entry, the label or the privilege that refused, and the smallest change that would flip it.

Begin with `access`, then `token`; `well_known` makes the tokens a machine starts with, `descriptor` what a
new object gets, `service_…` modules are the doors.
"""

from ntos.se.security import install
from ntos.se.subject import Subject, access_check, subject

__all__ = ["Subject", "access_check", "install", "subject"]
