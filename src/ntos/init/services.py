"""Importing the modules that declare system services; each import fills `ke.service.registry`."""

from __future__ import annotations

import importlib
import pkgutil

COMPONENTS = ("ob", "se", "mm", "io", "cm", "lpc", "ps", "ex", "dbgk")


def load_service_modules() -> None:
    """Import every module of the components that have services."""
    for component in COMPONENTS:
        package = importlib.import_module(f"ntos.{component}")
        for module in pkgutil.iter_modules(package.__path__, f"ntos.{component}."):
            importlib.import_module(module.name)
