# SPDX-License-Identifier: Apache-2.0
"""Line plots as SVG text: a logarithmic x axis, lines with their quartiles, a legend. No library."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 78, 170, 48, 56
COLOURS = ("#1b6ca8", "#d1495b", "#2e933c", "#8f5db7", "#e07a1f", "#4b4b4b", "#17a2a2", "#a0522d")
STYLE = ("text{font:13px sans-serif;fill:#222}.t{font-size:15px;font-weight:bold}.a{stroke:#999;fill:none}"
         ".g{stroke:#e4e4e4;fill:none}")


def short(value):
    """1000 -> 1k, 1000000 -> 1M, 0.5 -> 0.5."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def steps(top):
    """Round numbers from 0 to at least `top`, about five."""
    raw = top / 5
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw)
    return [step * number for number in range(math.ceil(top / step) + 1)]


def decades(low, high):
    return [10.0 ** power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


class Plot:
    """series: {name: [(x, low, middle, high)]}, x > 0."""

    def __init__(self, title, x_label, y_label, series, logarithmic=False):
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.series = {name: sorted(points) for name, points in series.items() if points}
        every = [point for points in self.series.values() for point in points]
        self.xs = sorted({point[0] for point in every})
        self.logarithmic = logarithmic
        top = max(point[3] for point in every)
        self.marks = decades(min(point[1] for point in every), top) if logarithmic else steps(top)

    def x(self, value):
        low, high = math.log(self.xs[0]), math.log(self.xs[-1])
        part = (math.log(value) - low) / (high - low) if high > low else 0.5
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        if self.logarithmic:
            low, high = math.log(self.marks[0]), math.log(self.marks[-1])
            part = (math.log(max(value, self.marks[0])) - low) / (high - low)
        else:
            part = value / self.marks[-1]
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def axes(self):
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        for mark in self.marks:
            y = self.y(mark)
            yield f'<path class="g" d="M{LEFT} {y:.1f}H{right}"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(mark)}</text>'
        for value in self.xs:
            x = self.x(value)
            yield f'<path class="a" d="M{x:.1f} {bottom}v5"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{short(value)}</text>'
        yield f'<path class="a" d="M{LEFT} {TOP}V{bottom}H{right}"/>'
        yield f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(self.x_label)}</text>'
        yield (f'<text transform="translate(18 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">'
               f"{escape(self.y_label)}</text>")

    def line(self, points, colour):
        path = "M" + "L".join(f"{self.x(x):.1f} {self.y(middle):.1f}" for x, _, middle, _ in points)
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, low, middle, high in points:
            yield f'<path d="M{self.x(x):.1f} {self.y(low):.1f}V{self.y(high):.1f}" stroke="{colour}"/>'
            yield f'<circle cx="{self.x(x):.1f}" cy="{self.y(middle):.1f}" r="3" fill="{colour}"/>'

    def legend(self, number, name, colour):
        x, y = WIDTH - RIGHT + 14, TOP + 10 + 20 * number
        yield f'<path d="M{x} {y}h18" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{x + 24}" y="{y + 4}">{escape(name)}</text>'

    def text(self):
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
                 f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
                 f'<text class="t" x="{LEFT}" y="26">{escape(self.title)}</text>', *self.axes()]
        for number, (name, points) in enumerate(self.series.items()):
            colour = COLOURS[number % len(COLOURS)]
            parts += [*self.line(points, colour), *self.legend(number, name, colour)]
        return "\n".join([*parts, "</svg>", ""])
