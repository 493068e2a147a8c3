"""Writes the reference of the plugin interface, in Markdown, from its header.

usage: abi_reference.py HEADER OUTPUT

The header says everything once: a comment before a type, a function or a constant is of what
follows; one behind a field or a value is of that. What cannot be taken apart is an error, so that
nothing is left out silently.
"""

import pathlib
import re
import sys
from dataclasses import dataclass, field

# What the comment of a function says, in this order.
PARTS = ("Required", "Arguments", "Returns", "Ownership", "Concurrency")

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/)
      | (?P<constant>\#define[ \t]+\w+[ \t]+[^\n]*?)(?=[ \t]*(?:/\*|\n))
      | (?P<directive>\#[^\n]*)
      | (?P<linkage>extern[ ]"C"[ ]\{)
      | (?P<begin>(?:typedef[ ]struct|enum)[ ]\w+[ ]\{)
      | (?P<end>\}[ ]*\w*;)
      | (?P<brace>\})
      | (?P<inline>static[ ]inline[^{]*\{.*?\n\})
      | (?P<statement>\w[^;,/#{}()]*\([^;]*;|\w[^;,/#{}]*?(?:[;,]|(?=\s*/\*)|(?=\s*\})))""",
    re.VERBOSE | re.DOTALL,
)
_FUNCTION = re.compile(r"(?P<result>.*?)(?:\(\*(?P<field>\w+)\)|\b(?P<name>\w+))\((?P<rest>.*)\)$",
                       re.DOTALL)


class HeaderError(Exception):
    """The header has something this program does not know."""


@dataclass
class Member:
    """A field of a struct, a value of an enum, or a constant."""

    name: str
    value: str  # type of a field, number of a value
    text: str


@dataclass
class Function:
    """A function pointer of a table, or a function."""

    name: str
    signature: str
    text: str


@dataclass
class Type:
    """A struct or an enum, or the file itself: its constants and functions."""

    kind: str
    name: str
    text: str
    members: list = field(default_factory=list)
    functions: list = field(default_factory=list)


class Header:
    """What a header declares: `file`, then `types` in their order."""

    def __init__(self, text):
        self.file = Type("file", "", "")
        self.types = []
        self._type = self.file
        self._before = ""  # the comment of what comes next
        self._last = None  # what a comment behind it is of
        position = 0
        for match in _TOKEN.finditer(text):
            _check_gap(text, position, match.start())
            position = match.end()
            # Where something stands before it on its line, a comment is of that.
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            if match.lastgroup != "comment":
                self._last = None
            self._read(match.lastgroup, match[0], bool(line.strip()))
        _check_gap(text, position, len(text))
        if self._type is not self.file:
            raise HeaderError(f"{self._type.name} does not end")

    def _read(self, kind, token, is_behind):
        if kind == "comment":
            self._read_comment(token, is_behind)
        elif kind == "constant":
            _, name, value = token.split(None, 2)
            self._add(Member(name, value, self._take()))
        elif kind == "begin":
            name = token.split()[-2]
            self._type = Type("enum" if token.startswith("enum") else "struct", name, self._take())
            self.types.append(self._type)
        elif kind == "end":
            self._type = self.file
        elif kind == "inline":
            self.file.functions.append(_function(token[: token.index("{")], self._take()))
        elif kind == "statement":
            self._read_statement(" ".join(token.strip(" \n;,").split()))
        elif kind == "directive":
            self._before = ""

    def _read_comment(self, token, is_behind):
        lines = [line.strip().removeprefix("*").strip() for line in token[2:-2].splitlines()]
        text = "\n".join(lines).strip()
        if text.startswith("----"):
            self._before = ""
        elif is_behind:
            if self._last is not None:
                self._last.text = text
        elif not self.file.text:
            self.file.text = text
        else:
            self._before = text

    def _read_statement(self, token):
        if "(" in token:
            self._type.functions.append(_function(token, self._take()))
        elif token.startswith("typedef struct"):
            self.types.append(Type("struct", token.split()[-1], self._take()))
        elif self._type.kind == "enum":
            name, _, value = token.partition(" = ")
            self._add(Member(name, value, self._take()))
        elif token:
            value, name = token.rsplit(" ", 1)
            array = name[name.index("[") :] if "[" in name else ""
            self._add(Member(name.removesuffix(array), value + array, self._take()))

    def _add(self, member):
        self._type.members.append(member)
        self._last = member

    def _take(self):
        text, self._before = self._before, ""
        return text


def _check_gap(text, begin, end):
    if text[begin:end].strip():
        line = text.count("\n", 0, begin) + 1
        raise HeaderError(f"line {line}: cannot read {text[begin:end].strip()[:60]!r}")


def _function(token, text):
    match = _FUNCTION.match(" ".join(token.split()))
    if match is None:
        raise HeaderError(f"no function: {token!r}")
    name = match["field"] or match["name"]
    result = match["result"].replace("CARACAL_AGENT_EXPORT", "").strip()
    return Function(name, f"{result} {name}({match['rest']})", text)


def markdown(header, source):
    """The whole reference."""
    lines = ["# Reference of the plugin interface", "",
             f"Made from `{source}` by `cmake/abi_reference.py`; do not edit.", ""]
    lines += [*_paragraphs(header.file.text), "## Constants", ""]
    lines += [*_table("constant", "value", header.file.members), "## Functions", ""]
    lines += _functions(header.file.functions)
    for entry in header.types:
        lines += [f"## {entry.kind} {entry.name}", "", *_paragraphs(entry.text)]
        heads = ("value", "number") if entry.kind == "enum" else ("field", "type")
        lines += _table(*heads, entry.members) if entry.members else []
        lines += _functions(entry.functions)
    return "\n".join(lines).rstrip() + "\n"


def _functions(functions):
    lines = []
    for function in functions:
        description, parts = split_parts(function.text)
        lines += [f"### {function.name}", "", "```c", f"{function.signature};", "```", ""]
        lines += _paragraphs(description)
        if parts:
            lines += ["| | |", "|---|---|"]
            lines += [f"| {name} | {_cell(text)} |" for name, text in parts.items()] + [""]
    return lines


def split_parts(text):
    """The description of a function, and its parts by their names; "Required." has no text."""
    places = [(match.start(), match) for name in PARTS
              for match in [re.search(rf"(?:^|(?<=\s)){name}(?:\.|:)", text)] if match]
    places.sort(key=lambda place: place[0])
    ends = [start for start, _ in places[1:]] + [len(text)]
    parts = {}
    for (_, match), end in zip(places, ends):
        parts[match[0][:-1]] = text[match.end() : end].strip() or "yes"
    return (text[: places[0][0]] if places else text).strip(), parts


def _table(first, second, members):
    lines = [f"| {first} | {second} | |", "|---|---|---|"]
    lines += [f"| `{m.name}` | `{_cell(m.value)}` | {_cell(m.text)} |" for m in members]
    return lines + [""]


def _cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def _paragraphs(text):
    """Text as it is; what the header sets off by blanks stays set off."""
    lines = []
    for paragraph in filter(None, text.split("\n\n")):
        if re.search(r"^\w+ {2,}", paragraph, re.MULTILINE):
            lines += ["```", *paragraph.splitlines(), "```", ""]
        else:
            lines += [" ".join(paragraph.split()), ""]
    return lines


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    path = pathlib.Path(sys.argv[1])
    try:
        text = markdown(Header(path.read_text(encoding="utf-8")), f"caracal/{path.name}")
    except HeaderError as error:
        sys.exit(f"{path}: {error}")
    pathlib.Path(sys.argv[2]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
