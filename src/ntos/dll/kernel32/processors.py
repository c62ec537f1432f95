"""Processors and the computer's name, in the forms only kernel32 exports."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.executive import PROCESSOR_NUMBER
from ntos.abi.layout.shared_data import KUSER_SHARED_DATA
from ntos.abi.mm import USER_SHARED_DATA
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, DWORD, UCHAR, ULONG, ULONGLONG, USHORT, WCHAR, WORD
from ntos.dll.kernelbase.system_info import NETBIOS, computer_name, processor_count, put_counted
from ntos.dll.kernelbase.system_query import basic
from ntos.dll.kernelbase.text import export_both
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export(aliases=("GetMaximumProcessorCount",))
async def GetActiveProcessorCount(thread: UserThread, GroupNumber: WORD) -> DWORD:
    """The processors of a group, or of all."""
    return DWORD(await processor_count(thread, GroupNumber))


@export(aliases=("GetMaximumProcessorGroupCount",))
def GetActiveProcessorGroupCount(thread: UserThread) -> WORD:
    """One: groups begin at 64 processors."""
    return WORD(1)


@export
async def GetNumaNodeProcessorMask(thread: UserThread, Node: ULONG, ProcessorMask: Out[ULONGLONG]) -> BOOL:
    """The processors of a node as a mask."""
    if Node & 0xFF:
        raise WinError(ERROR.INVALID_PARAMETER)
    ProcessorMask.write(int((await basic(thread)).ActiveProcessorsAffinityMask))
    return BOOL(1)


@export
async def GetNumaProcessorNode(thread: UserThread, Processor: UCHAR, NodeNumber: Ptr[UCHAR]) -> BOOL:
    """The node of a processor; 0xFF and ERROR_INVALID_PARAMETER where there is no such processor."""
    if Processor >= await processor_count(thread, 0):
        NodeNumber.write(0xFF)
        raise WinError(ERROR.INVALID_PARAMETER)
    NodeNumber.write(0)
    return BOOL(1)


@export
async def GetNumaProcessorNodeEx(
    thread: UserThread, Processor: Ptr[PROCESSOR_NUMBER], NodeNumber: Ptr[USHORT]
) -> BOOL:
    """The same with the processor's group."""
    number = Processor.read()
    if number.Group or number.Reserved or number.Number >= await processor_count(thread, 0):
        NodeNumber.write(0xFFFF)
        raise WinError(ERROR.INVALID_PARAMETER)
    NodeNumber.write(0)
    return BOOL(1)


@export_both()
async def GetComputerNameW(thread: UserThread, lpBuffer: Ptr[WCHAR], nSize: Ptr[DWORD]) -> BOOL:
    """The computer's NetBIOS name."""
    return put_counted(await computer_name(thread, NETBIOS), lpBuffer, nSize, ERROR.BUFFER_OVERFLOW)


@export
def WTSGetActiveConsoleSessionId(thread: UserThread) -> DWORD:
    """The session that has the screen and the keyboard."""
    return DWORD(KUSER_SHARED_DATA(thread.memory, USER_SHARED_DATA).ActiveConsoleId)
