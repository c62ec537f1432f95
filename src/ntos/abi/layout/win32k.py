"""Structures of win32k: what the window manager keeps of processes, threads, desktops, classes and windows.

The symbols of 19041's win32kbase do not tell these types. Offsets are those of Windows 7 x64, the last release whose
public symbols did; fields nothing here uses are left out. DXGPROCESS was never public: its order is our own.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import BOOLEAN, BYTE, DWORD, HANDLE, INT, LONG, PVOID, UINT, ULONG, ULONGLONG, USHORT, WORD


class RECT(Struct, size=0x10):
    """A rectangle; right and bottom lie outside."""

    left   = at(0x00, LONG)
    top    = at(0x04, LONG)
    right  = at(0x08, LONG)
    bottom = at(0x0C, LONG)


class LARGE_STRING(Struct, size=0x10):
    """A counted string, wide or ANSI (bAnsi), as user32 hands texts to win32k."""

    Length        = at(0x00, ULONG)
    MaximumLength = bits(0x04, ULONG, 0, 31)
    bAnsi         = bits(0x04, ULONG, 31, 1)
    Buffer        = at(0x08, PVOID)


class W32PROCESS(Struct, size=0x100):
    """What EPROCESS.Win32Process leads to: GDI's and USER's common head."""

    Process             = at(0x00, PVOID)
    RefCount            = at(0x08, ULONG)
    W32PF_Flags         = at(0x0C, ULONG)
    InputIdleEvent      = at(0x10, PVOID)
    StartCursorHideTime = at(0x18, ULONG)
    NextStart           = at(0x20, PVOID)
    pDCAttrList         = at(0x28, PVOID)
    pBrushAttrList      = at(0x30, PVOID)
    W32Pid              = at(0x38, ULONG)
    GDIHandleCount      = at(0x3C, LONG)
    GDIHandleCountPeak  = at(0x40, ULONG)
    UserHandleCount     = at(0x44, LONG)
    UserHandleCountPeak = at(0x48, ULONG)
    DxProcess           = at(0xF8, PVOID)


class PROCESSINFO(Struct, size=0x300):
    """tagPROCESSINFO: W32PROCESS and what USER adds."""

    W32          = at(0x000, W32PROCESS)
    ptiList      = at(0x100, PVOID)
    ptiMainThread = at(0x108, PVOID)
    rpdeskStartup = at(0x110, PVOID)
    pclsPrivateList = at(0x118, PVOID)
    pclsPublicList = at(0x120, PVOID)
    ppiNext      = at(0x130, PVOID)
    cThreads     = at(0x140, UINT)
    hdeskStartup = at(0x148, HANDLE)
    rpwinsta     = at(0x258, PVOID)
    hwinsta      = at(0x260, HANDLE)
    amwinsta     = at(0x268, DWORD)
    pClientBase  = at(0x2A0, PVOID)
    pW32Job      = at(0x2B0, PVOID)


class W32THREAD(Struct, size=0x150):
    """What KTHREAD.Win32Thread leads to: the head of THREADINFO."""

    pEThread = at(0x00, PVOID)
    RefCount = at(0x08, ULONG)


class MLIST(Struct, size=0x18):
    """A list of posted messages."""

    pqmsgRead      = at(0x00, PVOID)
    pqmsgWriteLast = at(0x08, PVOID)
    cMsgs          = at(0x10, DWORD)


class THREADINFO(Struct, size=0x3A8):
    """tagTHREADINFO: a GUI thread's queue, desktop and state."""

    W32               = at(0x000, W32THREAD)
    ppi               = at(0x158, PVOID)
    pq                = at(0x160, PVOID)
    pcti              = at(0x170, PVOID)
    rpdesk            = at(0x178, PVOID)
    pDeskInfo         = at(0x180, PVOID)
    ulClientDelta     = at(0x188, ULONGLONG)
    pClientInfo       = at(0x190, PVOID)
    TIF_flags         = at(0x198, DWORD)
    psmsSent          = at(0x1A8, PVOID)
    psmsCurrent       = at(0x1B0, PVOID)
    psmsReceiveList   = at(0x1B8, PVOID)
    timeLast          = at(0x1C0, LONG)
    idLast            = at(0x1C8, ULONGLONG)
    exitCode          = at(0x1D0, INT)
    hdesk             = at(0x1D8, HANDLE)
    cPaintsReady      = at(0x1E0, INT)
    cTimersReady      = at(0x1E4, UINT)
    ptiSibling        = at(0x218, PVOID)
    hEventQueueClient = at(0x250, HANDLE)
    pEventQueueServer = at(0x258, PVOID)
    PtiLink           = at(0x260, LIST_ENTRY)
    ptLastX           = at(0x274, LONG)
    ptLastY           = at(0x278, LONG)
    mlPost            = at(0x2A0, MLIST)
    cWindows          = at(0x2D0, UINT)
    cVisWindows       = at(0x2D4, UINT)


class Q(Struct, size=0x158):
    """tagQ: which windows of a queue are active and have focus and mouse."""

    mlInput         = at(0x00, MLIST)
    ptiMouse        = at(0x30, PVOID)
    ptiKeyboard     = at(0x38, PVOID)
    spwndCapture    = at(0x40, PVOID)
    spwndFocus      = at(0x48, PVOID)
    spwndActive     = at(0x50, PVOID)
    spwndActivePrev = at(0x58, PVOID)


class CLIENTTHREADINFO(Struct, size=0x10):
    """The part of a queue's state that user mode may see."""

    CTIF_flags          = at(0x00, ULONG)
    fsChangeBits        = at(0x04, WORD)
    fsWakeBits          = at(0x06, WORD)
    fsWakeBitsJournal   = at(0x08, WORD)
    fsWakeMask          = at(0x0A, WORD)
    tickLastMsgChecked  = at(0x0C, ULONG)


class MSG(Struct, size=0x30):
    """A message as programs see it (winuser.h)."""

    hwnd    = at(0x00, HANDLE)
    message = at(0x08, UINT)
    wParam  = at(0x10, ULONGLONG)
    lParam  = at(0x18, ULONGLONG)
    time    = at(0x20, DWORD)
    x       = at(0x24, LONG)
    y       = at(0x28, LONG)


class QMSG(Struct, size=0x60):
    """A posted message in its thread's list."""

    pqmsgNext = at(0x00, PVOID)
    pqmsgPrev = at(0x08, PVOID)
    msg       = at(0x10, MSG)
    ExtraInfo = at(0x40, ULONGLONG)
    dwQEvent  = at(0x50, DWORD)
    pti       = at(0x58, PVOID)


class HANDLEENTRY(Struct, size=0x18):
    """One USER handle: its low word is the index of this entry, its high word wUniq."""

    phead  = at(0x00, PVOID)
    pOwner = at(0x08, PVOID)
    bType  = at(0x10, BYTE)
    bFlags = at(0x11, BYTE)
    wUniq  = at(0x12, WORD)


class HEAD(Struct, size=0x28):
    """THRDESKHEAD: with what every USER object of a thread begins."""

    h        = at(0x00, HANDLE)
    cLockObj = at(0x08, DWORD)
    pti      = at(0x10, PVOID)
    rpdesk   = at(0x18, PVOID)
    pSelf    = at(0x20, PVOID)


class CLS(Struct, size=0xA0):
    """tagCLS: a window class."""

    pclsNext              = at(0x00, PVOID)
    atomClassName         = at(0x08, USHORT)
    fnid                  = at(0x0C, WORD)
    rpdeskParent          = at(0x10, PVOID)
    CSF_flags             = at(0x22, WORD)
    lpszClientAnsiMenuName = at(0x28, PVOID)
    lpszClientUnicodeMenuName = at(0x30, PVOID)
    pclsBase              = at(0x40, PVOID)
    cWndReferenceCount    = at(0x50, INT)
    style                 = at(0x54, UINT)
    lpfnWndProc           = at(0x58, PVOID)
    cbclsExtra            = at(0x60, INT)
    cbwndExtra            = at(0x64, INT)
    hModule               = at(0x68, PVOID)
    spicn                 = at(0x70, PVOID)
    spcur                 = at(0x78, PVOID)
    hbrBackground         = at(0x80, PVOID)
    lpszMenuName          = at(0x88, PVOID)
    spicnSm               = at(0x98, PVOID)


class WND(Struct, size=0x128):
    """tagWND: a window, in the heap that user mode may read; its extra bytes follow."""

    head        = at(0x00, HEAD)
    state       = at(0x28, DWORD)
    bUnicode    = bits(0x28, DWORD, 17, 1)
    bSendSizeMoveMsgs = bits(0x28, DWORD, 4, 1)
    bDestroyed  = bits(0x28, DWORD, 31, 1)
    state2      = at(0x2C, DWORD)
    ExStyle     = at(0x30, DWORD)
    style       = at(0x34, DWORD)
    hModule     = at(0x38, PVOID)
    fnid        = at(0x42, WORD)
    spwndNext   = at(0x48, PVOID)
    spwndPrev   = at(0x50, PVOID)
    spwndParent = at(0x58, PVOID)
    spwndChild  = at(0x60, PVOID)
    spwndOwner  = at(0x68, PVOID)
    rcWindow    = at(0x70, RECT)
    rcClient    = at(0x80, RECT)
    lpfnWndProc = at(0x90, PVOID)
    pcls        = at(0x98, PVOID)
    ppropList   = at(0xA8, PVOID)
    spmenu      = at(0xC0, PVOID)
    strName     = at(0xD8, LARGE_STRING)
    cbwndExtra  = at(0xE8, INT)
    dwUserData  = at(0x100, PVOID)


class SERVERINFO(Struct, size=0x40):
    """The head of the shared heap: how many handles there are (gpsi)."""

    dwSRVIFlags    = at(0x00, DWORD)
    cHandleEntries = at(0x08, ULONGLONG)


class SHAREDINFO(Struct, size=0x28):
    """user32!gSharedInfo: where a process sees the shared heap."""

    psi           = at(0x00, PVOID)
    aheList       = at(0x08, PVOID)
    HeEntrySize   = at(0x10, ULONG)
    pDispInfo     = at(0x18, PVOID)
    ulSharedDelta = at(0x20, ULONGLONG)


class USERCONNECT(Struct, size=0x30):
    """NtUserProcessConnect's answer."""

    ulVersion       = at(0x00, ULONG)
    dwDispatchCount = at(0x04, ULONG)
    siClient        = at(0x08, SHAREDINFO)


class WINDOWSTATION(Struct, size=0x98):
    """tagWINDOWSTATION: body of a WindowStation object."""

    dwSessionId      = at(0x00, DWORD)
    rpwinstaNext     = at(0x08, PVOID)
    rpdeskList       = at(0x10, PVOID)
    dwWSF_Flags      = at(0x20, DWORD)
    pGlobalAtomTable = at(0x78, PVOID)
    luidUser         = at(0x88, ULONGLONG)


class DESKTOP(Struct, size=0xE0):
    """tagDESKTOP: body of a Desktop object."""

    dwSessionId     = at(0x00, DWORD)
    pDeskInfo       = at(0x08, PVOID)
    rpdeskNext      = at(0x18, PVOID)
    rpwinstaParent  = at(0x20, PVOID)
    dwDTFlags       = at(0x28, DWORD)
    dwDesktopId     = at(0x30, ULONGLONG)
    spwndForeground = at(0x58, PVOID)
    spwndMessage    = at(0x68, PVOID)
    pheapDesktop    = at(0x80, PVOID)
    ulHeapSize      = at(0x88, ULONG)
    PtiList         = at(0xA8, LIST_ENTRY)


class DESKTOPINFO(Struct, size=0xE0):
    """tagDESKTOPINFO: what user mode may know of a desktop."""

    pvDesktopBase  = at(0x00, PVOID)
    pvDesktopLimit = at(0x08, PVOID)
    spwnd          = at(0x10, PVOID)


class CURSOR(Struct, size=0x48):
    """The head of a tagCURSOR: which resource of which module it shows."""

    head     = at(0x00, HEAD)
    rt       = at(0x28, ULONG)
    idResource = at(0x30, ULONGLONG)
    hModule  = at(0x38, PVOID)
    shared   = at(0x40, BOOLEAN)


class DXGPROCESS(Struct, size=0x80):
    """What dxgkrnl keeps of a process from its first D3DKMT call on."""

    Process         = at(0x00, PVOID)
    HandleTable     = at(0x08, PVOID)
    HandleCount     = at(0x10, ULONG)
    AdapterList     = at(0x18, LIST_ENTRY)
    DeviceList      = at(0x28, LIST_ENTRY)
    SchedulingPriorityClass = at(0x38, ULONG)
    Flags           = at(0x3C, ULONG)
    MemoryBudget    = at(0x40, ULONGLONG)
    MemoryCommit    = at(0x48, ULONGLONG)


class WNDCLASSEXW(Struct, size=0x50):
    """What RegisterClassEx takes (winuser.h)."""

    cbSize        = at(0x00, UINT)
    style         = at(0x04, UINT)
    lpfnWndProc   = at(0x08, PVOID)
    cbClsExtra    = at(0x10, INT)
    cbWndExtra    = at(0x14, INT)
    hInstance     = at(0x18, HANDLE)
    hIcon         = at(0x20, HANDLE)
    hCursor       = at(0x28, HANDLE)
    hbrBackground = at(0x30, HANDLE)
    lpszMenuName  = at(0x38, PVOID)
    lpszClassName = at(0x40, PVOID)
    hIconSm       = at(0x48, HANDLE)


class CLSMENUNAME(Struct, size=0x18):
    """A class's menu name as user32 keeps it for the program."""

    pszClientAnsiMenuName    = at(0x00, PVOID)
    pwszClientUnicodeMenuName = at(0x08, PVOID)
    pusMenuName              = at(0x10, PVOID)


class CREATESTRUCTW(Struct, size=0x50):
    """WM_NCCREATE's and WM_CREATE's lParam (winuser.h)."""

    lpCreateParams = at(0x00, PVOID)
    hInstance      = at(0x08, HANDLE)
    hMenu          = at(0x10, HANDLE)
    hwndParent     = at(0x18, HANDLE)
    cy             = at(0x20, INT)
    cx             = at(0x24, INT)
    y              = at(0x28, INT)
    x              = at(0x2C, INT)
    style          = at(0x30, LONG)
    lpszName       = at(0x38, PVOID)
    lpszClass      = at(0x40, PVOID)
    dwExStyle      = at(0x48, DWORD)


class COPYDATASTRUCT(Struct, size=0x18):
    """WM_COPYDATA's lParam."""

    dwData = at(0x00, ULONGLONG)
    cbData = at(0x08, DWORD)
    lpData = at(0x10, PVOID)


class SNDMSGTIMEOUT(Struct, size=0x18):
    """How NtUserMessageCall shall wait (SendMessageTimeout)."""

    flags   = at(0x00, UINT)
    timeout = at(0x04, UINT)
    result  = at(0x08, ULONGLONG)
    done    = at(0x10, ULONGLONG)


class SNDMSGCALLBACK(Struct, size=0x10):
    """Whom NtUserMessageCall shall call with the answer (SendMessageCallback)."""

    callback = at(0x00, PVOID)
    data     = at(0x08, ULONGLONG)


class MINMAXINFO(Struct, size=0x28):
    """WM_GETMINMAXINFO's lParam."""

    points = at(0x00, array(LONG, 10))


class WINDOWPOS(Struct, size=0x28):
    """WM_WINDOWPOSCHANGING's and WM_WINDOWPOSCHANGED's lParam."""

    hwnd            = at(0x00, HANDLE)
    hwndInsertAfter = at(0x08, HANDLE)
    x               = at(0x10, INT)
    y               = at(0x14, INT)
    cx              = at(0x18, INT)
    cy              = at(0x1C, INT)
    flags           = at(0x20, UINT)
