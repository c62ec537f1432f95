"""An account as a page that stands alone: styles inside, nothing fetched, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from ntos.report import words

if TYPE_CHECKING:
    from ntos.report.account import Document


def page(document: Document) -> str:
    """The HTML text."""
    environment = Environment(
        loader=PackageLoader("ntos.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(
        value=words.value, microseconds=words.microseconds, virtual=words.virtual, who=words.process,
        outcome=words.outcome, title_of=words.title, hexadecimal=lambda number: f"0x{number:X}", telling=words.telling,
    )  # fmt: skip
    return environment.get_template("page.html").render(document=document) + "\n"
