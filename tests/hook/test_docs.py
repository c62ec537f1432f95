"""The examples of docs/hooks.md run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.dll.compile import needs_compiler
from tests.hook.conftest import Stage

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
SAYS = (
    r"program\.exe program\.exe\+\w+ D:\\absent\.txt",
    r"CreateFileW gave 0x\w+, last error",
    r"\A\Z",
    r"NotificationEvent.*: 0x0|0: 0x0",
    r"imported CreateFileW",
)


@needs_compiler
@pytest.mark.parametrize(("example", "says"), list(zip(EXAMPLES, SAYS, strict=True)), ids=range(len(EXAMPLES)))
def test_example(example: str, says: str, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Each example does what the text around it says."""
    names: dict[str, Any] = {"machine": stage.machine}
    exec(compile(example, "docs/hooks.md", "exec"), names)
    printed = stage.run()
    assert re.search(says, capsys.readouterr().out)
    if "replacement" in names:
        assert printed["file"].startswith("0 ")
