"""Writes the manual page of a program from its own --help, with a section for every command.

usage: man_page.py PROGRAM OUTPUT
"""

import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

_ENTRY = re.compile(r"  (\S.*)$")
_CONTINUATION = re.compile(r" {8,}(\S.*)$")


@dataclass
class Entry:
    """An option or a command: what is typed, and what it means."""

    head: str
    text: str


@dataclass
class Help:
    """--help of one command, taken apart."""

    path: list
    description: str = ""
    usage: str = ""
    groups: dict = field(default_factory=dict)  # heading -> entries
    paragraphs: list = field(default_factory=list)  # after the options
    examples: list = field(default_factory=list)

    @property
    def commands(self):
        return self.groups.get("Commands", [])


def read_help(program, path):
    run = subprocess.run(
        [program, *path[1:], "--help"], capture_output=True, text=True, check=True
    )
    page = Help(path)
    blocks = [block.splitlines() for block in run.stdout.strip().split("\n\n")]
    page.description, page.usage = blocks.pop(0)
    page.usage = page.usage.removeprefix("Usage: ")
    for heading, *lines in blocks:
        if heading == "Examples:":
            page.examples = [line.strip() for line in lines]
        elif heading.endswith(":") and lines and _ENTRY.match(lines[0]):
            page.groups[heading[:-1]] = list(_entries(lines))
        else:
            page.paragraphs.append(" ".join([heading, *lines]))
    return page


def _entries(lines):
    for line in lines:
        if continuation := _CONTINUATION.match(line):
            entry.text = f"{entry.text} {continuation[1]}".strip()
            continue
        if line is not lines[0]:
            yield entry
        head, _, text = _ENTRY.match(line)[1].partition("  ")
        entry = Entry(head, text.strip())
    yield entry


def _escape(text):
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return r"\&" + text if text.startswith((".", "'")) else text


def _list(entries):
    for entry in entries:
        yield from (".TP", rf"\fB{_escape(entry.head)}\fR", _escape(entry.text))


def _options(page):
    for heading, entries in page.groups.items():
        if heading == "Commands":
            continue
        if heading != "Options":
            yield from (".PP", _escape(heading) + ":")
        yield from _list(entries)


def _paragraphs(texts):
    for text in texts:
        yield from (".PP", _escape(text))


def _examples(page):
    yield from (".PP", ".nf", r".RS 4")
    yield from map(_escape, page.examples)
    yield from (".RE", ".fi")


def _command(page):
    yield f'.SS "{_escape(page.usage)}"'
    yield _escape(page.description) + "."
    yield from _options(page)
    yield from _paragraphs(page.paragraphs)
    yield from _examples(page)


def _section(title, lines):
    yield f".SH {title}"
    first, *rest = lines
    yield from rest if first == ".PP" else [first, *rest]


def _today():
    """ISO 8601; reproducible builds set the clock by SOURCE_DATE_EPOCH."""
    now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return time.strftime("%Y-%m-%d", time.gmtime(now))


def _tree(program, path):
    page = read_help(program, path)
    yield page
    for entry in page.commands:
        yield from _tree(program, [*path, entry.head])


def manual(program, name):
    root, *commands = _tree(program, [name])
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    yield f'.\\" Made from the output of {name} --help; do not edit.'
    yield f'.TH {name.upper()} 1 "{_today()}" "{version}" "User Commands"'
    yield from (".SH NAME", rf"{name} \- {_escape(root.description)}")
    yield from (".SH SYNOPSIS", rf"\fB{_escape(root.usage)}\fR")
    yield from (".SH OPTIONS", *_options(root))
    yield ".SH COMMANDS"
    for page in commands:
        yield from _command(page)
    yield from _section("NOTES", _paragraphs(root.paragraphs))
    yield from _section("EXAMPLES", _examples(root))


def main():
    program, output = sys.argv[1:]
    text = "\n".join(manual(program, pathlib.Path(program).name)) + "\n"
    pathlib.Path(output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
