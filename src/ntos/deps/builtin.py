"""The Windows folder of the reference build (10.0.19041 x64) by name: what stands in when no real one is given.

Sources: `abi.exports` for DLLs whose exports are known, the API-set schema for hosts, Microsoft Learn ("DLL
search order", "Known DLLs") and the public registry defaults for the rest.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from ntos.abi import apiset, exports

ROOT: Final = "C:\\Windows"

_KNOWN: Final = """
    advapi32 bcryptprimitives cfgmgr32 clbcatq combase comdlg32 coml2 difxapi gdi32 gdi32full gdiplus imagehlp
    imm32 kernel32 kernelbase msctf msvcp_win msvcrt normaliz nsi ntdll ole32 oleaut32 psapi rpcrt4 sechost
    setupapi shcore shell32 shlwapi ucrtbase user32 win32u wldap32 ws2_32
"""
KNOWN_DLLS: Final = frozenset(f"{stem}.dll" for stem in _KNOWN.split())
"""Session Manager's KnownDLLs and the modules they need, as smss makes sections of them."""

REDISTRIBUTABLE: Final = frozenset(
    f"{stem}.dll" for stem in ("concrt140", "mfc140u", "msvcp140", "msvcp140_1", "msvcp140_2", "vccorlib140",
                               "vcomp140", "vcruntime140", "vcruntime140_1")
)  # fmt: skip
"""In System32 only where the Visual C++ runtime was installed; the reference machine has it."""

_FURTHER: Final = """
    aclui activeds amsi apphelp atl authz avicap32 avifil32 avrt bcryptprimitives bthprops.cpl cabinet cfgmgr32
    clbcatq coml2 credui cryptbase cryptnet cryptsp cryptui d2d1 d3d10 d3d10_1 d3d10core d3d10level9 d3d10warp
    d3d11 d3d12 d3d8 d3d9 d3dcompiler_47 d3dscache dbgcore dbgeng dcomp ddraw devobj dhcpcsvc dhcpcsvc6 difxapi
    dinput dinput8 dpapi dsound dssec dsrole duser dui70 dwrite dxcore dxdiagn dxgi dxva2 efswrt esent evr
    faultrep firewallapi fltlib fwpuclnt gdi32full gdiplus glu32 glmf32 gpapi hid hlink httpapi icu icuin
    icuuc imagehlp inetcomm jscript ksuser ktmw32 lz32 mf mfcore mfplat mfplay mfreadwrite mlang mmdevapi mpr
    msacm32 msasn1 mscms mscoree msctf msdmo msdrm msftedit msi msimg32 msls31 mspatcha msports msvcirt msvcp60
    msvcp_win msvfw32 msxml3 msxml6 ncrypt ncryptsslp ndfapi netutils nsi ntasn1 ntdsapi ntlanman ntmarta odbc32
    odbccp32 oleacc oledlg olepro32 opengl32 p2p pdh powrprof prntvpt profapi propsys quartz qwave rasapi32
    rasman resutils riched20 riched32 rmclient rpcns4 rstrtmgr rtm rtutils samcli samlib schannel sensapi sfc
    sfc_os slc snmpapi spoolss srvcli ssdpapi sspicli sti sxs synceng t2embed tapi32 tbs tdh traffic txfw32
    uiautomationcore ucrtbase_clr0400 url urlmon usp10 vbscript vdmdbg virtdisk vssapi webauthn webservices
    websocket wer wevtapi wiaservc win32u winbio windows.globalization windows.ui windowscodecs winhvplatform
    winnsi winscard winsta winsqlite3 wintypes wlanapi wlanui wmi wmiclnt wmvcore wow64 wow64cpu wow64win
    wsdapi wsecedit wshbth wshtcpip wsnmp32 wtsapi32 xaudio2_8 xaudio2_9 xinput1_4 xinput9_1_0 xinputuap xmllite
    xolehlp xpsprint
"""

OTHER_FILES: Final = frozenset(
    ("ntoskrnl.exe", "hal.dll", "winspool.drv", "bthprops.cpl", "hhctrl.ocx", "ntprint.exe")
)

IMPORTS: Final = {
    "kernelbase.dll": ("ntdll.dll",),
    "kernel32.dll": ("KERNELBASE.dll", "ntdll.dll"),
    "ucrtbase.dll": ("KERNELBASE.dll", "ntdll.dll"),
    "msvcrt.dll": ("KERNELBASE.dll", "ntdll.dll"),
    "advapi32.dll": ("KERNELBASE.dll", "ntdll.dll"),
}
"""What the built-in modules need of one another, as far as it decides load order."""

ASSEMBLIES: Final = {
    ("microsoft.windows.common-controls", "6595b64144ccf1df"): (
        ("6.0.19041.1110", ("comctl32.dll",)),
        ("5.82.19041.1110", ("comctl32.dll",)),
    ),
    ("microsoft.windows.gdiplus", "6595b64144ccf1df"): (
        ("1.1.19041.1110", ("gdiplus.dll",)),
        ("1.0.19041.1110", ("gdiplus.dll",)),
    ),
}
"""Shared assemblies of the reference build: (name, public key token) to (version, files)."""

WIN32_PATH: Final = (
    f"{ROOT}\\System32",
    ROOT,
    f"{ROOT}\\System32\\Wbem",
    f"{ROOT}\\System32\\WindowsPowerShell\\v1.0",
    f"{ROOT}\\System32\\OpenSSH",
)
"""PATH of a fresh machine."""


@cache
def modules() -> frozenset[str]:
    """Every file known to lie in System32, lower case."""
    hosts = {
        host for contract in apiset.contracts() for host in (contract.host, *contract.exceptions.values()) if host
    }
    further = {name if name.endswith(".cpl") else f"{name}.dll" for name in _FURTHER.split()}
    known = {f"{stem}.dll" for stem in exports.known_dlls()}
    return frozenset(further | known | {host.lower() for host in hosts} | KNOWN_DLLS | REDISTRIBUTABLE | OTHER_FILES)
