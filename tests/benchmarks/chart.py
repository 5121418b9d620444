"""The chart of the README: small panels of bars, each with a scale of its own, as SVG for a light or a dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 760, 130, 90
BAR, GAP, HEAD, SPACE = 16, 8, 30, 18
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"

THEMES = {
    "light": {"text": "#1f2328", "soft": "#59636e", "ours": "#0969da", "other": "#afb8c1"},
    "dark": {"text": "#e6edf3", "soft": "#9198a1", "ours": "#4493f8", "other": "#59636e"},
}


@dataclass(frozen=True)
class Bar:
    """``text`` is what is written at the bar's end, ``low`` and ``high`` are the quartiles that a thin line shows."""

    label: str
    value: float
    text: str
    ours: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panel:
    """Bars that share a scale, which begins at zero."""

    title: str
    bars: Sequence[Bar]


def draw(title: str, note: str, panels: Sequence[Panel], theme: str) -> str:
    """The chart as an SVG document; ``theme`` is a key of `THEMES`."""
    colours = THEMES[theme]
    parts = [_text(0, 18, title, colours["text"], size=16, weight=600), _text(0, 40, note, colours["soft"], size=11)]
    top = 40 + SPACE
    for panel in panels:
        parts.append(_text(0, top + 14, panel.title, colours["text"], weight=600))
        top += HEAD
        longest = max((max(bar.value, bar.high or 0) for bar in panel.bars), default=0) or 1
        scale = (WIDTH - LEFT - RIGHT) / longest
        for bar in panel.bars:
            parts += _bar(bar, top, scale, colours)
            top += BAR + GAP
        top += SPACE
    said = "; ".join(
        f"{panel.title}: " + ", ".join(f"{bar.label} {bar.text}" for bar in panel.bars) for panel in panels
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
            f' role="img" font-family="{FONT}" font-size="13">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(said)}</desc>",
            *parts,
            "</svg>\n",
        ]
    )


def _bar(bar: Bar, top: float, scale: float, colours: dict[str, str]) -> list[str]:
    width = bar.value * scale
    middle = top + BAR / 2
    end = max(width, (bar.high or 0) * scale)
    parts = [
        _text(LEFT - 10, middle + 4.5, bar.label, colours["text" if bar.ours else "soft"], anchor="end"),
        f'<rect x="{LEFT}" y="{top:g}" width="{width:.1f}" height="{BAR}" rx="2"'
        f' fill="{colours["ours" if bar.ours else "other"]}"/>',
        _text(LEFT + end + 8, middle + 4.5, bar.text, colours["text"], weight=600 if bar.ours else 400),
    ]
    if bar.low is not None and bar.high is not None:
        path = f"M{LEFT + bar.low * scale:.1f} {middle:g}H{LEFT + bar.high * scale:.1f}"
        parts.insert(2, f'<path d="{path}" stroke="{colours["text"]}" stroke-width="1.5"/>')
    return parts


def _text(
    x: float, y: float, text: str, colour: str, *, size: int = 13, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:g}" fill="{colour}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )
