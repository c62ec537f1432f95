"""Importing the modules that declare system services; each import fills `ke.service.registry`."""

from __future__ import annotations

import importlib
import pkgutil

COMPONENTS = ("ob", "se", "mm", "io", "cm", "lpc", "ps", "ex", "dbgk")
DRIVER = "win32k"
"""The component that comes when it is first called, as win32k.sys is a file of its own."""


def load_all_service_modules() -> None:
    """Every service there is, for whoever lists or tests them."""
    load_service_modules((*COMPONENTS, DRIVER))


def load_service_modules(components: tuple[str, ...] = COMPONENTS) -> None:
    """Import every module of the components that have services."""
    for component in components:
        package = importlib.import_module(f"ntos.{component}")
        for module in pkgutil.iter_modules(package.__path__, f"ntos.{component}."):
            importlib.import_module(module.name)
