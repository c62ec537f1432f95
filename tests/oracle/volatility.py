"""Volatility 3 in this process: run its plugins over a dump and get plain rows (reference/volatility.md section 2)."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("volatility3")

from volatility3 import plugins as plugin_package
from volatility3 import symbols
from volatility3.framework import automagic, constants, contexts, interfaces, plugins
from volatility3.framework.automagic import stacker

SYMBOLS = Path(__file__).resolve().parents[3] / "shared" / "reference" / "isf"
"""Public symbols of the reference build; not part of the repository."""

Row = dict[str, Any]


class Volatility:
    """One dump."""

    def __init__(self, dump: Path, cache: Path) -> None:
        constants.OFFLINE = True
        constants.CACHE_PATH = str(cache)
        symbols.__path__ = constants.SYMBOL_BASEPATHS = [str(SYMBOLS), *constants.SYMBOL_BASEPATHS]
        assert plugin_package
        self._dump = dump

    def rows(self, plugin: str) -> list[Row]:
        """The rows of `windows.pslist.PsList` and the like: columns by name, None for what is not there."""
        module, _, name = plugin.rpartition(".")
        kind = getattr(importlib.import_module(f"volatility3.plugins.{module}"), name)
        context = contexts.Context()
        available = automagic.available(context)
        context.config["automagic.LayerStacker.single_location"] = self._dump.as_uri()
        context.config["automagic.LayerStacker.stackers"] = stacker.choose_os_stackers(kind)
        chosen = automagic.choose_automagic(available, kind)
        made = plugins.construct_plugin(context, chosen, kind, "plugins", None, None)
        grid = made.run()
        found: list[Row] = []

        def visit(node: Any, depths: list[Row]) -> list[Row]:
            values = zip((column.name for column in grid.columns), node.values, strict=True)
            found.append({"depth": node.path_depth, **{key: _plain(value) for key, value in values}})
            return depths

        grid.populate(visit, [])
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, interfaces.renderers.BaseAbsentValue):
        return None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
