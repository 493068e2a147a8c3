"""Where things live: every file is built, every stage and agent folder explains itself."""

import posixpath
import re

from tree import Finding

# Folders whose headers are the documentation.
WITHOUT_README = {
    "agents/api", "agents/builtin", "pipeline/types", "pipeline/ports", "pipeline/base",
    "pipeline/tools",
}

_VAGUE_FILE = re.compile(r"util|helper|common", re.IGNORECASE)
_VAGUE_NAME = re.compile(r"\b(?:class|struct|namespace)\s+(\w*(?:[Uu]til(?:s|ity|ities)?|"
                         r"[Hh]elpers?|[Cc]ommon))\s*[{:;]")
_GUARD = re.compile(r"^\s*#ifndef\s+(\w+)\s*\n\s*#define\s+\1\b")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)
_CALL = re.compile(r"^[ \t]*(\w+)[ \t]*\(([^()]*)\)", re.MULTILINE)
_CMAKE_COMMENT = re.compile(r"#[^\n]*")


def check(tree):
    yield from _readmes(tree)
    yield from _names(tree)
    yield from _include_guards(tree)
    yield from _own_headers(tree)
    yield from _build_lists(tree)


def _readmes(tree):
    folders = {"/".join(f.path.split("/")[1:3]) for f in tree.cpp("src")
               if f.path.count("/") >= 3}
    for folder in sorted(folders - WITHOUT_README):
        if not (tree.root / "src" / folder / "README.md").is_file():
            text = "no README.md: what comes in, what goes out, which thread, bounds, failures"
            yield Finding(f"src/{folder}", 0, "readme", text)


def _names(tree):
    for file in tree.files:
        name = file.path.rsplit("/", 1)[-1]
        if "/" in file.path and _VAGUE_FILE.search(name):
            yield Finding(file.path, 0, "vague-name", "name the file after what it does")
        if file.is_cpp:
            for line, match in file.matches(_VAGUE_NAME, file.code):
                text = f"'{match[1]}': name it after what it does"
                yield Finding(file.path, line, "vague-name", text)


def _include_guards(tree):
    for file in tree.cpp():
        if not file.is_header:
            continue
        public_c = file.under("src/agents/sdk/include") and file.suffix == ".h"
        code = file.uncommented.strip()
        if public_c and not _GUARD.match(code):
            text = "a public C header starts with an #ifndef/#define guard"
            yield Finding(file.path, 1, "include-guard", text)
        if not public_c and not code.startswith("#pragma once"):
            yield Finding(file.path, 1, "include-guard", "a header starts with #pragma once")


def _own_headers(tree):
    """A source includes its own header first: that the header compiles by itself is then seen when
    the source is compiled, and only headers without a source are compiled alone."""
    headers = {file.path for file in tree.cpp("src") if file.is_header}
    for file in tree.cpp("src"):
        stem = posixpath.splitext(file.path)[0]
        own = next((stem + suffix for suffix in (".h", ".hpp") if stem + suffix in headers), None)
        first = next(iter(file.matches(_INCLUDE, file.uncommented)), None)
        if file.is_header or own is None or first is None:
            continue
        line, match = first
        if match[1] not in (own[len("src/"):], posixpath.basename(own)):
            yield Finding(file.path, line, "own-header", f"the first include is {own}")


def _build_lists(tree):
    """Every header and source is named in a CMake list, and every name in a list exists."""
    lists = [_BuildList(file) for file in tree.files
             if file.path.endswith(("CMakeLists.txt", ".cmake"))]
    for file in tree.cpp():
        if file.is_header and not file.under("src"):
            continue
        kind = "header" if file.is_header else "source"
        if not any(build_list.names(file.path, kind) for build_list in lists):
            text = f"no CMakeLists.txt names this {kind} ({kind.upper()}S)"
            yield Finding(file.path, 0, "unlisted", text)
    for build_list in lists:
        yield from build_list.missing(tree)


class _BuildList:
    """The files one CMake file names. A `${variable}` in a name stands for any text."""

    _KEYWORDS = re.compile(r"[A-Z_]+$")
    _SOURCE = re.compile(r".*\.(h|hpp|c|cc)$")

    def __init__(self, file):
        self._file = file
        self._folder = file.path.rsplit("/", 1)[0] + "/" if "/" in file.path else ""
        self._entries = list(self._parse(_CMAKE_COMMENT.sub("", file.text)))

    def _parse(self, text):
        for match in _CALL.finditer(text):
            command, group = match[1], ""
            line = text.count("\n", 0, match.start()) + 1
            for word in match[2].split():
                word = word.strip('"')
                if self._KEYWORDS.match(word):
                    group = word
                elif self._SOURCE.match(word):
                    yield command, group, word, line

    def names(self, path, kind):
        return any(self._pattern(word).fullmatch(path) for command, group, word, _ in self._entries
                   if self._fits(command, group, kind))

    def _fits(self, command, group, kind):
        if command.startswith("caracal_"):
            return group == ("HEADERS" if kind == "header" else "SOURCES")
        return True

    def _pattern(self, word):
        word = re.sub(r"^\$\{(PROJECT|CMAKE)_SOURCE_DIR\}/", "/", word)
        word = re.sub(r"^\$\{CMAKE_CURRENT_(SOURCE|LIST)_DIR\}/", "", word)
        full = word[1:] if word.startswith("/") else posixpath.normpath(self._folder + word)
        return re.compile(".*".join(re.escape(part) for part in re.split(r"\$\{\w+\}", full)))

    def missing(self, tree):
        known = {file.path for file in tree.files}
        for command, _, word, line in self._entries:
            pattern = self._pattern(word)
            literal = "${" not in word or "_SOURCE_DIR}/" in word
            if literal and command.startswith(("caracal_", "add_")):
                if not any(pattern.fullmatch(path) for path in known):
                    yield Finding(self._file.path, line, "unlisted", f"{word} does not exist")
