"""Words to colours: a prompt's mood is a small palette, picked by its words, else by its letters."""

from __future__ import annotations

import colorsys
import hashlib
import random
import re
from dataclasses import dataclass

Colour = tuple[int, int, int]

#: Night to light: sky above, sky at the horizon, far land, near land, the light itself.
PALETTES: dict[str, tuple[str, str, str, str, str]] = {
    "dawn": ("#2b2e6b", "#ffb27a", "#b5688a", "#2a1b3d", "#fff1c1"),
    "night": ("#050817", "#2a2f6f", "#232a5c", "#070a18", "#e8ecff"),
    "neon": ("#0b0321", "#7a1fa2", "#3d1270", "#08021a", "#00f0ff"),
    "sea": ("#1b6ca8", "#bfe9f2", "#3a8fb7", "#0b3954", "#fffbe0"),
    "forest": ("#7fb7be", "#eaf4d3", "#6f9d80", "#12372a", "#fff8d6"),
    "snow": ("#5b8fc9", "#f3f8ff", "#a9c4e4", "#2f4a73", "#ffffff"),
    "desert": ("#e58f65", "#ffe3b3", "#d98e4a", "#5c2a1d", "#fffbe6"),
    "bloom": ("#8ec5fc", "#ffd6e8", "#d98bb3", "#5b2a4e", "#fff5fb"),
    "gold": ("#4b2e0e", "#f6c667", "#a8681f", "#2a1605", "#fff6d0"),
}
WORDS = {
    "dawn": "sunset sunrise dawn dusk evening morning warm romantic",
    "night": "night moon dark midnight space galaxy star stars planet noir mystic",
    "neon": "neon cyberpunk cyber futuristic robot synthwave electric hologram",
    "sea": "sea ocean beach water lake river blue underwater wave island sky",
    "forest": "forest tree trees jungle green garden nature meadow misty moss",
    "snow": "snow snowy snow-capped winter ice cold arctic glacier alpine",
    "desert": "desert sand dune canyon mars savanna dry",
    "bloom": "flower flowers blossom cherry pink spring pastel anime dreamy",
    "gold": "gold golden royal king queen baroque candle autumn bronze",
}
SCENES = {
    "mountains": "mountain mountains snow snow-capped alpine peak canyon hill hills castle",
    "sea": "sea ocean beach water lake river wave island ship boat",
    "city": "city street neon cyberpunk skyline tower building town office robot futuristic",
    "forest": "forest tree trees jungle garden wood fox deer meadow",
    "space": "space galaxy planet star stars astronaut rocket moon",
}


@dataclass(frozen=True)
class Mood:
    """``scene`` is the kind of scenery; the colours go from the sky down; ``seed`` belongs to the words
    alone."""

    scene: str
    high: Colour
    low: Colour
    far: Colour
    near: Colour
    light: Colour
    seed: int

    @property
    def ramp(self) -> tuple[Colour, ...]:
        """From dark to light."""
        return (self.near, self.far, self.low, self.light)


def mood_of(prompt: str, variant: int = 0) -> Mood:
    """The mood of ``prompt``; each ``variant`` turns its hues a little."""
    words = re.findall(r"[\w-]+", prompt.lower())
    seed = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:6], "big")
    rng = random.Random(seed)
    palette = _by_words(words, WORDS) or rng.choice(sorted(PALETTES))
    scene = _by_words(words, SCENES) or rng.choice(sorted(SCENES))
    turn = (rng.uniform(-0.03, 0.03) + 0.045 * variant) % 1.0
    high, low, far, near, light = (_turned(colour, turn) for colour in PALETTES[palette])
    return Mood(scene, high, low, far, near, light, seed)


def _by_words(words: list[str], table: dict[str, str]) -> str | None:
    hits = {name: sum(word in known.split() for word in words) for name, known in table.items()}
    best = max(hits, key=lambda name: hits[name])
    return best if hits[best] else None


def _turned(colour: str, turn: float) -> Colour:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    red, green, blue = colorsys.hls_to_rgb((hue + turn) % 1, light, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
