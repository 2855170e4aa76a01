"""The colours of the house as tokens, light and dark, with what a campus's own brand colour makes of them.

The style sheet names no colour itself: it says `var(--ink)`. What the tokens are stands here, so that a brand
colour that nobody could read is refused when the gateway starts and not found out by its readers.
"""

import colorsys
import re
from collections.abc import Callable, Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#fbfaf6",
    "surface": "#ffffff",
    "sunk": "#f3f1ea",
    "ink": "#17211c",
    "soft": "#55615a",
    "hair": "#e0ddd3",
    "edge": "#8b9189",
    "gold": "#765300",
    "gold-mark": "#c48d00",
    "gold-tint": "#fbf1d6",
    "good": "#17643c",
    "good-tint": "#e4f1e8",
    "wait": "#27526f",
    "wait-tint": "#e6eef4",
    "bad": "#9c241b",
    "bad-fill": "#9c241b",
    "on-bad": "#ffffff",
    "bad-tint": "#fbeae7",
    "quiet": "#4f5a53",
    "quiet-tint": "#efeee7",
    "log-paper": "#16201b",
    "log-ink": "#dfe7e2",
}
DARK: Mapping[str, str] = {
    "paper": "#111713",
    "surface": "#18201b",
    "sunk": "#0d120f",
    "ink": "#e8ede9",
    "soft": "#a5b2aa",
    "hair": "#2b352f",
    "edge": "#75827a",
    "gold": "#ecc766",
    "gold-mark": "#d9a520",
    "gold-tint": "#2e2610",
    "good": "#8ad3a8",
    "good-tint": "#17301f",
    "wait": "#9ec5e0",
    "wait-tint": "#172a37",
    "bad": "#f1a199",
    "bad-fill": "#a8342a",
    "on-bad": "#ffffff",
    "bad-tint": "#391a17",
    "quiet": "#b3beb7",
    "quiet-tint": "#222b26",
    "log-paper": "#0b0f0d",
    "log-ink": "#dfe7e2",
}
READABLE = (
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunk"), ("soft", "paper"), ("soft", "surface"), ("soft", "sunk"),
    ("brand", "paper"), ("brand", "surface"), ("brand", "sunk"), ("brand", "brand-tint"), ("on-brand", "brand-fill"),
    ("gold", "gold-tint"), ("good", "good-tint"), ("wait", "wait-tint"), ("bad", "bad-tint"),
    ("bad", "surface"), ("bad", "paper"), ("quiet", "quiet-tint"), ("on-bad", "bad-fill"), ("ink", "bad-tint"),
    ("ink", "good-tint"), ("ink", "wait-tint"), ("ink", "quiet-tint"), ("ink", "gold-tint"), ("log-ink", "log-paper"),
)  # fmt: skip
"""Which words stand on which ground somewhere in the house."""
ENOUGH = 4.5
"""Contrast that words of usual size need (WCAG 2.2, 1.4.3)."""
HEX = re.compile(r"#[0-9a-f]{6}")


class Unreadable(ValueError):  # noqa: N818 - a refusal, as those of shared.errors
    """A brand colour that cannot be read on the paper of the house."""


def brightness(colour: str) -> float:
    """Return the relative luminance of a colour, 0 black to 1 white (WCAG)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return how much two colours differ, 1 to 21 (WCAG)."""
    brighter, darker = sorted((brightness(one), brightness(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def tokens(brand: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return all tokens, light and dark, for a brand colour; raise Unreadable for one that is too light."""
    brand = brand.strip().lower()
    if not HEX.fullmatch(brand):
        raise Unreadable(f"Warna merek {brand!r} tidak dikenal. Tulis sebagai #rrggbb, misalnya #12603f.")
    found = contrast(brand, LIGHT["sunk"])
    light = dict(LIGHT) | {"brand": brand, "brand-fill": brand, "on-brand": "#ffffff"}
    light["brand-tint"] = _mixed(brand, LIGHT["paper"], 0.09)
    if found < ENOUGH or contrast(brand, light["brand-tint"]) < ENOUGH:
        told = f"{found:.1f}".replace(".", ",")
        raise Unreadable(
            f"Warna merek {brand} terlalu muda: kontrasnya {told} : 1 terhadap kertas, paling sedikit 4,5 : 1. "
            "Pilih warna yang lebih tua; warna untuk tampilan gelap dibuat sendiri darinya."
        )
    dark = dict(DARK) | {"on-brand": "#ffffff"}
    dark["brand"] = _lit(brand, until=lambda colour: contrast(colour, DARK["surface"]) >= 8.5)
    dark["brand-fill"] = _lit(brand, until=lambda colour: contrast(colour, "#ffffff") <= 5.6)
    dark["brand-tint"] = _mixed(dark["brand"], DARK["paper"], 0.14)
    return light, dark


def sheet(brand: str) -> str:
    """Return the tokens as the head of the style sheet: by the device's wish, or as the person chose."""
    light, dark = (_declared(colours) for colours in tokens(brand))
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ color-scheme: dark; {dark} }} }}\n'
        f':root[data-theme="dark"] {{ color-scheme: dark; {dark} }}\n'
        # Paper is white, whatever the screen was.
        f"@media print {{ :root:root:root {{ color-scheme: light; {light} }} }}\n"
    )


def _declared(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _channels(colour: str) -> list[float]:
    return [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]


def _written(channels: list[float]) -> str:
    return "#" + "".join(f"{round(min(max(c, 0.0), 1.0) * 255):02x}" for c in channels)


def _mixed(one: str, other: str, share: float) -> str:
    return _written([a * share + b * (1 - share) for a, b in zip(_channels(one), _channels(other), strict=True)])


def _lit(colour: str, *, until: Callable[[str], bool]) -> str:
    """Return the colour of the same hue, lightened step by step until it is enough; white at the latest."""
    red, green, blue = _channels(colour)
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    for step in range(round(lightness * 100), 101):
        # A full hue that is only lightened would glow at night.
        found = _written(list(colorsys.hls_to_rgb(hue, step / 100, min(saturation, 0.5))))
        if until(found):
            return found
    return "#ffffff"
