"""What the benchmarks say: figures, and the table of them."""

import dataclasses
import statistics


@dataclasses.dataclass
class Figure:
    """One row of the table. target: "<= 600" or empty. void: what it compares is not comparable."""

    name: str
    unit: str
    values: list
    target: str = ""
    void: bool = False

    def median(self):
        return statistics.median(self.values)

    def met(self):
        if self.void or not self.target:
            return None
        relation, limit = self.target.split()
        limit = float(limit)
        return self.median() <= limit if relation == "<=" else self.median() >= limit

    def verdict(self):
        return "VOID" if self.void else {None: "", True: "met", False: "missed"}[self.met()]


def number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def text_of(title, figures):
    """The table of some figures, a line each below the head."""
    rows = [(figure.name, number(figure.median()),
             f"{number(min(figure.values))} … {number(max(figure.values))}", figure.unit,
             figure.target, figure.verdict())
            for figure in figures]
    rows.insert(0, (title, "median", "min … max", "unit", "target", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2])]
        cells += [cell.ljust(width) for cell, width in zip(row[3:], widths[3:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def text_of_all(benchmarks):
    """One table of several benchmarks. benchmarks: {name: its figures}, in the order of rows."""
    return text_of("all", [dataclasses.replace(figure, name=f"{name}: {figure.name}")
                           for name, figures in benchmarks.items() for figure in figures])
