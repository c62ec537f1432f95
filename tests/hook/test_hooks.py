"""Hooks from Python: what callbacks see, what they may change, and what the guest sees of them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.hook import Call
from ntos.machine import Machine
from tests.dll.compile import needs_compiler
from tests.guest.conftest import SAMPLES
from tests.hook.conftest import Stage

pytestmark = needs_compiler
MOV_R10_RCX = "4c"
NAMES = ["lpFileName", "dwDesiredAccess"]


def test_without_hooks_a_breakpoint_is_asked_of_nobody(stage: Stage) -> None:
    """A machine on which no hook was set has no table of places, and a function begins with its own bytes."""
    printed = stage.run()
    assert stage.machine.kernel.planted == {}
    assert printed["code"] == MOV_R10_RCX
    assert printed["six"] == str(1 + 4 + 9 + 16 + 25 + 36)


def test_before_sees_decoded_arguments(stage: Stage) -> None:
    """A forwarded export is hooked where it is; its arguments come by the signature, with caller and process."""
    seen: list[Any] = []

    @stage.machine.hook("kernel32!CreateFileW", process="program.exe")
    def opened(call: Call) -> None:
        seen.append(({name: call.arguments[name] for name in NAMES}, call.caller, call.process.name, call.module))

    printed = stage.run()
    arguments, caller, process, module = seen[0]
    assert arguments == {"lpFileName": "D:\\absent.txt", "dwDesiredAccess": 0x80000000}
    assert caller.startswith("program.exe+")
    assert (process, module) == ("program.exe", "kernelbase")
    assert printed["file"] == "1 error 2"
    assert printed["code"] == "cc", "a guest that looks sees the patch"


def test_before_changes_an_argument(stage: Stage) -> None:
    """What `before` writes is what the function gets: another file name here, which exists."""

    def redirect(call: Call) -> None:
        call.arguments["lpFileName"] = "D:\\program.exe"
        call.arguments["dwShareMode"] = 7

    stage.machine.hook("kernelbase!CreateFileW", before=redirect, process="program.exe")
    assert stage.run()["file"].startswith("0 ")


def test_after_changes_the_result(stage: Stage) -> None:
    """What `after` leaves in `result` is what the caller gets; a leaf routine can be hooked like all others."""
    results: list[int] = []

    def other(call: Call) -> None:
        results.append(call.result)
        call.result = 99

    stage.machine.hook("kernel32!lstrlenW", after=other, process="program.exe")
    printed = stage.run()
    assert results == [4]
    assert printed["length"] == "99"


def test_an_answer_keeps_the_function_from_running(stage: Stage) -> None:
    """`answer` returns at once, with a last error if one is given."""
    stage.machine.hook(
        "kernel32!CreateFileW", before=lambda call: call.answer(-1, last_error=1234), process="program.exe"
    )
    assert stage.run()["file"] == "1 error 1234"


def test_replace_may_call_the_original(stage: Stage) -> None:
    """A replacement gives the result; it may run the function itself, with other arguments, and wait for it."""

    async def doubled(call: Call) -> int:
        assert [call.arguments.raw(index) & 0xFF for index in range(6)] == [1, 2, 3, 4, 5, 6]
        first = await call.original()
        second = await call.original(1, 1, 1, 1, 1, 1)
        return int(1000 * first + second)

    stage.machine.hook("program.exe!six", replace=doubled)
    assert stage.run()["six"] == str(1000 * 91 + 21)


def test_a_function_by_its_offset(stage: Stage) -> None:
    """module+RVA names a function that is not exported."""
    rvas: list[int] = []
    finder = stage.machine.hook("program.exe!six")

    @finder.before
    def found(call: Call) -> None:
        base = int(call.process.eprocess.SectionBaseAddress)
        rvas.append(call.address - base)
        stage.machine.hook(f"program.exe+{rvas[0]:#x}", after=lambda again: setattr(again, "result", 5))

    assert stage.run()["six"] == "91", "a hook set while the function runs counts from its next call"
    assert rvas


def test_exceptions_cross_a_hooked_call(stage: Stage) -> None:
    """An exception raised below a hook's `original` finds its handler, and the function goes on."""
    results: list[int] = []
    stage.machine.hook("program.exe!thrower", after=lambda call: results.append(call.result & 0xFFFF_FFFF))
    assert stage.run()["thrown"] == "1"
    assert results == [1]


def test_a_system_service_stub(stage: Stage) -> None:
    """A stub of ntdll decodes its arguments by the service's signature."""
    seen: list[Any] = []

    def look(call: Call) -> None:
        seen.append((call.arguments["EventType"], call.arguments["ObjectAttributes"], OBJECT_ATTRIBUTES.size))
        call.answer(0xC0000022)

    stage.machine.hook("ntdll!NtCreateEvent", before=look, process="program.exe")
    assert stage.run()["event"] == "c0000022"
    assert seen[0][:2] == (0, None)


def test_import_hooks_change_slots_only(stage: Stage) -> None:
    """An IAT hook leaves the code alone and sees the calls that go through import tables."""
    seen: list[str] = []
    stage.machine.hook(
        "kernel32!CreateFileW", how="iat", before=lambda call: seen.append(call.arguments["lpFileName"])
    )
    printed = stage.run()
    assert seen[0] == "D:\\absent.txt"
    assert printed["code"] == MOV_R10_RCX


def test_children_are_hooked_and_others_are_not(stage: Stage) -> None:
    """A hook for a program's name is planted in every process of it, also in later ones, and nowhere else."""
    seen: set[int] = set()
    hook = stage.machine.hook(
        "kernelbase!CreateFileW", before=lambda call: seen.add(call.process.id), process="program.exe"
    )
    planted: list[set[int]] = []

    def count(call: Call) -> None:
        planted.append({process for process, _ in call.thread.kernel.planted})

    stage.machine.hook("program.exe!thrower", before=count)
    stage.run("again")
    assert len(seen) == 2
    assert all(len(each) <= 2 for each in planted)
    hook.remove()


def test_removing_restores_the_bytes(stage: Stage) -> None:
    """After `remove` the function has its first byte again and nobody is called."""
    hook = stage.machine.hook("kernel32!CreateFileW", process="program.exe")
    calls: list[str] = []

    @hook.before
    def once(call: Call) -> None:
        calls.append(call.name)
        hook.remove()

    printed = stage.run()
    assert calls == ["CreateFileW"]
    assert printed["code"] == MOV_R10_RCX
    assert printed["file"] == "1 error 2", "the call under way goes on"


def test_what_cannot_be_a_target_is_refused(stage: Stage) -> None:
    """A text that names no function, and a way that is none, are errors at once."""
    with pytest.raises(ValueError, match="neither"):
        stage.machine.hook("CreateFileW")
    with pytest.raises(ValueError, match="inline"):
        stage.machine.hook("kernel32!CreateFileW", how="eat")


def test_a_clone_has_its_parents_hooks() -> None:
    """A forked process has a copy of its parent's memory, patches and all; its calls are served like the parent's."""
    seen: set[int] = set()
    with Path(os.devnull).open("r+b") as nothing:
        null = nothing.fileno()
        with Machine(drives={"D": SAMPLES / "bin"}, stdin=null, stdout=null, stderr=null) as machine:
            machine.hook("kernel32!WriteFile", before=lambda call: seen.add(call.process.id), process="fork.exe")
            process = machine.create_process("D:\\fork.exe")
            assert machine.run(timeout=100) == "finished"
            assert process.exit_code == 17
    assert len(seen) == 2
    assert process.id in seen


def _note(record: list[str], text: str, _call: Call) -> None:
    record.append(text)


def test_two_hooks_on_one_function(stage: Stage) -> None:
    """Hooks are asked in the order they came before the call, and in the opposite order after it."""
    order: list[str] = []
    for name in ("first", "second"):
        before, after = (partial(_note, order, f"{when} {name}") for when in ("before", "after"))
        stage.machine.hook("program.exe!six", before=before, after=after)
    assert stage.run()["six"] == "91"
    assert order == ["before first", "before second", "after second", "after first"]
