"""GDI32.dll: drawing, of which there is nothing; the stock objects programs name in their window classes, and the
way to DirectX's kernel side (D3DKMT…).
"""

from ntos.dll.gdi32 import d3dkmt, stock

__all__ = ["d3dkmt", "stock"]
