"""Line plots as SVG, for report.py."""

import html
import math

COLORS = ["#888888", "#1b9e77", "#d95f02", "#7570b3", "#e7298a"]
WIDTH, HEIGHT = 380, 260  # of the area of the lines


class Panel:
    """One plot: x on a logarithmic axis, y on a linear one; what lies below it is cut off."""

    def __init__(self, title, x_label, x_ticks, y_ticks, y_text):
        self.title, self.x_label = title, x_label
        self.x_ticks, self.y_ticks, self.y_text = x_ticks, y_ticks, y_text
        self.lines = []

    def add(self, color, points, dots=False):
        self.lines.append((color, points, dots))

    def position(self, x, y):
        low, high = math.log(self.x_ticks[0]), math.log(self.x_ticks[-1])
        across = (math.log(x) - low) / (high - low) * WIDTH
        share = (y - self.y_ticks[0]) / (self.y_ticks[-1] - self.y_ticks[0])
        return across, (1 - share) * HEIGHT

    def svg(self, left, top):
        parts = [f'<g transform="translate({left} {top})">', text(0, -10, self.title, bold=True)]
        for tick in self.y_ticks:
            y = self.position(self.x_ticks[0], tick)[1]
            parts.append(f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#dddddd"/>')
            parts.append(text(-6, y + 4, self.y_text(tick), anchor="end"))
        for tick in self.x_ticks:
            x = self.position(tick, 0)[0]
            parts.append(f'<path d="M{x:.1f} 0V{HEIGHT}" stroke="#eeeeee"/>')
            parts.append(text(x, HEIGHT + 16, str(tick), anchor="middle"))
        parts.append(text(WIDTH / 2, HEIGHT + 34, self.x_label, anchor="middle"))
        for line in self.lines:
            parts += self.line(*line)
        return "\n".join([*parts, "</g>"])

    def line(self, color, points, dots):
        seen = [self.position(x, y) for x, y in points if y >= self.y_ticks[0]]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in seen)
        yield f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        if dots:
            for x, y in seen:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'


def text(x, y, words, anchor="start", bold=False):
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{html.escape(words)}</text>'
    )


def page(panels, names):
    """Panels side by side, and below them the names of the colors."""
    width, height = len(panels) * (WIDTH + 80) + 10, HEIGHT + 110
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    parts += [panel.svg(60 + i * (WIDTH + 80), 30) for i, panel in enumerate(panels)]
    x = 60
    for name, color in zip(names, COLORS):
        parts.append(f'<path d="M{x} {height - 18}h20" stroke="{color}" stroke-width="3"/>')
        parts.append(text(x + 26, height - 14, name))
        x += 56 + 7 * len(name)
    return "\n".join([*parts, "</svg>", ""])
