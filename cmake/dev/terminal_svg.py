#!/usr/bin/env python3
"""Draws text as a terminal window: what a program has printed on stdin, an SVG on stdout.

    { echo '$ ./dev demo'; ./dev demo --plain; } 2>/dev/null | cmake/dev/terminal_svg.py >demo.svg

A line that starts with "$ " is a prompt. What counts as good news is green: a figure that equals
the one before it, and the lines of GOOD. Every column has its own x, so that columns are straight
in any font.
"""

import html
import re
import sys

CHARACTER, LINE, MARGIN, BAR = 8.43, 19, 18, 34
GOOD = ("every record has one outcome", "alerts that came twice: 0")
PAIR = re.compile(r"^  \S.*?\s([\d,]+)\s+\1$")
COLUMN = re.compile(r"\S+(?: \S+)*")
HEADING = re.compile(r"^(caracal demo|Planted|Next:|  kind )")
STYLE = """
    text { font-size: 14px; fill: #c9d1d9; white-space: pre;
           font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; }
    .h { fill: #ffffff; font-weight: 600; } .g { fill: #56d364; }
"""


def style(line, is_last):
    """The class of one column of a line."""
    if HEADING.match(line):
        return "h"
    if line.strip() in GOOD or (is_last and PAIR.match(line)):
        return "g"
    return "h" if line.startswith("$ ") else ""


def columns(line):
    """The line's columns, parted by two spaces or more, each at its own place."""
    found = list(COLUMN.finditer(line))
    for match in found:
        x = MARGIN + CHARACTER * match.start()
        kind = style(line, match is found[-1])
        yield f'<tspan x="{x:.1f}" class="{kind}">{html.escape(match[0])}</tspan>'


def draw(lines):
    width = round(2 * MARGIN + CHARACTER * max(map(len, lines)))
    height = BAR + LINE * len(lines) + MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
    yield f"  <style>{STYLE}  </style>"
    yield f'  <rect width="{width}" height="{height}" rx="9" fill="#0d1117"/>'
    for index, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'  <circle cx="{MARGIN + 5 + 19 * index}" cy="17" r="5.5" fill="{colour}"/>'
    for index, line in enumerate(lines):
        if line:
            y = BAR + LINE * (index + 1) - 5
            yield f'  <text y="{y}">{"".join(columns(line))}</text>'
    yield "</svg>"


if __name__ == "__main__":
    text = [line.rstrip() for line in sys.stdin.read().strip("\n").split("\n")]
    print("\n".join(draw(text)))
