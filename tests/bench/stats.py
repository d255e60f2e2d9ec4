# SPDX-License-Identifier: Apache-2.0
"""Tables of samples: what each mode took in each round, and what is said of it."""
import statistics


def quartiles(values):
    """(lower quartile, median, upper quartile) of at least one value."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


class Table:
    """Rows of acts, columns of modes. A ratio is always to the base mode of the same round."""

    def __init__(self, name, unit, modes, base="native"):
        self.name, self.unit, self.modes, self.base = name, unit, list(modes), base
        self.samples = {}  # row -> mode -> {round: value}
        self.errors = {}   # (row, mode) -> why: it ran and failed
        self.cannot = {}   # (row, mode) -> why: it is not asked to

    def add(self, row, mode, number, value):
        self.samples.setdefault(row, {}).setdefault(mode, {})[number] = value

    def fail(self, row, mode, why):
        self.samples.setdefault(row, {})
        self.errors.setdefault((row, mode), why)

    def leave_out(self, row, mode, why):
        self.samples.setdefault(row, {})
        self.cannot[(row, mode)] = why

    def ratios(self, row, mode):
        base = self.samples[row].get(self.base, {})
        return [value / base[number] for number, value in self.samples[row].get(mode, {}).items()
                if number in base]

    def median(self, row, mode):
        """In the table's unit, or None."""
        values = list(self.samples.get(row, {}).get(mode, {}).values())
        return statistics.median(values) if values else None

    def cell(self, row, mode):
        """For JSON: {"median", "q1", "q3", "min", "max", "ratio": {…}}, or {"error"}, or {"cannot"}, or None."""
        if (row, mode) in self.cannot:
            return {"cannot": self.cannot[(row, mode)]}
        values = list(self.samples[row].get(mode, {}).values())
        if not values:
            return {"error": self.errors[(row, mode)]} if (row, mode) in self.errors else None
        cell = describe(values)
        ratios = self.ratios(row, mode)
        if ratios:
            cell["ratio"] = describe(ratios)
        if (row, mode) in self.errors:
            cell["error"] = self.errors[(row, mode)]
        return cell

    def plain(self):
        return {"unit": self.unit, "base": self.base,
                "rows": {row: {mode: self.cell(row, mode) for mode in self.modes} for row in self.samples}}


def describe(values):
    low, middle, high = quartiles(values)
    return {"median": rounded(middle), "q1": rounded(low), "q3": rounded(high),
            "min": rounded(min(values)), "max": rounded(max(values)), "n": len(values)}


def rounded(value):
    return float(f"{value:.5g}")


def fit_line(points):
    """(constant, slope) over [(x, y)]: the median of the slopes of all pairs (Theil and Sen), which a noisy point does
    not bend."""
    slope = statistics.median((y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1:])
    return statistics.median(y - slope * x for x, y in points), slope
