"""``python -m ntos``: the same program as the console script ``ntos``."""

from __future__ import annotations

import sys

from ntos.cli import main

if __name__ == "__main__":
    sys.exit(main())
