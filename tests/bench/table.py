# SPDX-License-Identifier: Apache-2.0
"""Prints tables: what the base took, then each mode's ratio to it and half the distance between its quartiles."""

CELL = 12


def number(value):
    """Three significant digits, never in powers of ten."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(cell):
    if cell is None:
        return ""
    if "cannot" in cell:
        return "–"
    if "ratio" not in cell:
        return "error"
    half = (cell["ratio"]["q3"] - cell["ratio"]["q1"]) / 2
    return f"{number(cell['ratio']['median'])}±{number(half)}"


def used_modes(table):
    """Those that have a cell in some row."""
    plain = table.plain()["rows"]
    return [mode for mode in table.modes if any(row.get(mode) is not None for row in plain.values())]


def show(table, notes, out=print):
    """Reasons of error and left-out cells are added to notes: (mode, reason) -> where."""
    modes = [mode for mode in used_modes(table) if mode != table.base]
    rows = table.plain()["rows"]
    if not rows:
        return
    width = max(len(row) for row in rows) + 1
    out(f"\n{table.name}: ratio to {table.base}, median ± half the distance between the quartiles\n")
    out(f"{'':{width}}{table.base + ' ' + table.unit:>{CELL}}" + "".join(f"{mode:>{CELL}}" for mode in modes))
    for row, cells in rows.items():
        base = cells.get(table.base) or {}
        first = number(base["median"]) if "median" in base else "error"
        out(f"{row:{width}}{first:>{CELL}}" + "".join(f"{ratio(cells.get(mode)):>{CELL}}" for mode in modes))
    for places, sign in ((table.errors, "error"), (table.cannot, "–")):
        for (row, mode), why in places.items():
            notes.setdefault((sign, mode, why), []).append(f"{table.name}: {row}")


def show_held(held, out=print):
    """held: {act: {mode: "allowed" | "refused" | "error: …"}}."""
    modes = list(next(iter(held.values())))
    width = max(len(act) for act in held) + 1
    out("\nWhat each mode held: the same acts, tried once; no = refused, YES = it went through\n")
    out(f"{'':{width}}" + "".join(f"{mode:>{CELL}}" for mode in modes))
    for act, cells in held.items():
        words = {"allowed": "YES", "refused": "no"}
        out(f"{act:{width}}" + "".join(f"{words.get(cells[mode], 'error'):>{CELL}}" for mode in modes))


def show_notes(notes, out=print):
    if notes:
        out("\nNotes")
    for (sign, mode, why), where in notes.items():
        rows = sorted({place.split(": ", 1)[1] for place in where})
        out(f"  {sign:6}{mode}: {why} ({', '.join(rows)})")
