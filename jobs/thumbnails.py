"""Small pictures of kept results. Made off the loop, the newest kept in memory."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from .decode import decode_fitted

SIDE = 128
MEDIA_TYPE = "image/webp"
MOST = 512
"""About 5 kB each."""


@lru_cache(maxsize=MOST)
def thumbnail(file: Path, digest: str) -> bytes:
    """A square WebP, `SIDE` pixels a side, of the picture's middle. `digest` tells contents of one name apart.

    Blocks while it decodes. Raises UnreadError.
    """
    pixels = np.empty((SIDE, SIDE, 3), np.float32)
    decode_fitted(file, pixels)
    small = BytesIO()
    Image.fromarray((pixels * 255 + 0.5).astype(np.uint8)).save(small, "WEBP", quality=80)
    return small.getvalue()
