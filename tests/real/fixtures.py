"""What the real programs are given to work on."""

from __future__ import annotations

from pathlib import Path

PYTHON = """\
import os, sys
import json
def f( a,b ):
    x = 1
    return a+b
print(f(1,2), undefined)
"""
TYPESCRIPT = """\
interface P { name: string; n?: number }
export const greet = (p: P): string => `hi ${p.name ?? "x"} ${p.n?.toFixed(2)}`;
console.log(greet({ name: "a", n: 1 }));
"""
NINJA = r"""
rule cp
  command = C:\bin\cmake.exe -E copy $in $out
  description = CP $out
rule f
  command = C:\bin\cmake.exe -E false
build a.txt: cp in.txt
build b.txt: cp a.txt
build c.txt: cp b.txt
build d.txt: cp in.txt
build all: phony c.txt d.txt
default all
build bad: f
rule zip
  command = C:\bin\7za.exe a -bso0 -bsp0 $out $in
  description = ZIP $out
rule test
  command = C:\bin\7za.exe t -bso0 $in
build o2.zip: zip in.txt x.py
build bad2: test in.txt
"""
CMAKE = """\
execute_process(COMMAND ${CMAKE_COMMAND} -E echo one two COMMAND ${CMAKE_COMMAND} -E cat - OUTPUT_VARIABLE o RESULTS_VARIABLE r)
message("out=${o}results=${r}")
execute_process(COMMAND ${CMAKE_COMMAND} -E false RESULT_VARIABLE r)
message("false=${r}")
file(WRITE out.txt "abc\\n")
file(SHA256 out.txt h)
message("${h}")
execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 5 TIMEOUT 1 RESULT_VARIABLE r)
message("timeout=${r}")
execute_process(COMMAND ${CMAKE_COMMAND} -E env FOO=bar ${CMAKE_COMMAND} -P env.cmake ERROR_VARIABLE e)
message("child=${e}")
"""  # noqa: E501
CTEST = """\
add_test(t1 "cmake" "-E" "echo" "hi")
add_test(t2 "cmake" "-E" "false")
add_test(t3 "cmake" "-E" "sleep" "5")
set_tests_properties(t3 PROPERTIES TIMEOUT 1)
add_test(t4 "cmake" "-E" "sha256sum" "in.txt")
set_tests_properties(t4 PROPERTIES PASS_REGULAR_EXPRESSION "4a1e67f2fe1d1cc7")
"""
PROJECT = """\
cmake_minimum_required(VERSION 3.20)
project(p LANGUAGES NONE)
add_custom_command(OUTPUT g.txt COMMAND ${CMAKE_COMMAND} -E echo made DEPENDS ${CMAKE_SOURCE_DIR}/in.txt)
add_custom_target(all_g ALL DEPENDS g.txt)
configure_file(in.txt c.txt COPYONLY)
"""
FILES = {
    "in.txt": "hello\nworld\n",
    "x.py": PYTHON,
    "x.ts": TYPESCRIPT,
    "build.ninja": NINJA,
    "s.cmake": CMAKE,
    "env.cmake": 'message("FOO=$ENV{FOO}")\n',
    "CTestTestfile.cmake": CTEST,
    "CMakeLists.txt": PROJECT,
    "tree/a.txt": "alpha hello\n",
    "tree/sub/b.txt": "beta\nhello again\n",
    "tree/skip.txt": "hello\n",
    "tree/.hidden.txt": "hello\n",
    "tree/.ignore": "skip.txt\n",
}


def write(folder: Path) -> None:
    """Put all of it into a folder."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
