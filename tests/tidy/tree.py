"""The checkout as the rules see it: files, their lines, and their code without comments."""

import dataclasses
import functools
import pathlib
import re

# Where the project's own text lives. Build trees, caches and editor folders are never read.
ROOTS = ("src", "tests", "bench", "proto", "cmake", "deploy", "docs", ".github", ".ci")
ROOT_FILES = ("dev", "CMakeLists.txt", "CMakePresets.json", ".clang-tidy", ".clang-format")
SKIPPED_FOLDERS = {"build", ".cache", ".git", "__pycache__"}
TEXT_SUFFIXES = {
    ".h", ".hpp", ".c", ".cc", ".proto", ".py", ".sh", ".cmake", ".txt", ".md", ".yaml", ".yml",
    ".json", ".sql", ".in", ".dockerignore", "",
}
CPP_SUFFIXES = {".h", ".hpp", ".c", ".cc"}
HEADER_SUFFIXES = {".h", ".hpp"}

_CPP_TOKEN = re.compile(
    r"""//[^\n]* | /\*.*?\*/
      | (?:u8|[uUL])?R"([^()\s\\]{0,16})\(.*?\)\1"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*' """,
    re.VERBOSE | re.DOTALL,
)


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """One broken rule; line 0 = the file or folder as a whole."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: [{self.rule}] {self.message}"


class SourceFile:
    """A text file of the tree; every derived view keeps the line numbers of the original."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.suffix = path.suffix
        self.absolute = path
        self.text = path.read_text(encoding="utf-8", errors="replace")

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def uncommented(self):
        """The text with comments blanked (C and C++ only)."""
        return _CPP_TOKEN.sub(lambda m: _blank(m) if m[0].startswith("/") else m[0], self.text)

    @functools.cached_property
    def code(self):
        """The text with comments and the contents of literals blanked (C and C++ only)."""
        return _CPP_TOKEN.sub(_blank, self.text)

    @property
    def is_cpp(self):
        return self.suffix in CPP_SUFFIXES

    @property
    def is_header(self):
        return self.suffix in HEADER_SUFFIXES

    def under(self, *folders):
        return any(self.path.startswith(folder + "/") for folder in folders)

    def matches(self, pattern, view):
        """(line number, match) of every match of `pattern` in `view`, a view of this file."""
        for match in pattern.finditer(view):
            yield view.count("\n", 0, match.start()) + 1, match


class Tree:
    """All text files below a root folder, sorted by path."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.files = [SourceFile(self.root, path) for path in sorted(self._paths())]

    def _paths(self):
        for name in ROOT_FILES:
            if (self.root / name).is_file():
                yield self.root / name
        yield from self.root.glob("*.md")
        for name in ROOTS:
            yield from self._walk(self.root / name)

    def _walk(self, folder):
        if not folder.is_dir():
            return
        for entry in folder.iterdir():
            if entry.is_dir():
                if entry.name not in SKIPPED_FOLDERS:
                    yield from self._walk(entry)
            elif entry.suffix in TEXT_SUFFIXES and not entry.is_symlink():
                yield entry

    def cpp(self, *folders):
        return [f for f in self.files if f.is_cpp and (not folders or f.under(*folders))]


def _blank(match):
    text = match[0]
    quote = text[-1] if text[0] not in "/" else ""
    blank = "".join("\n" if char == "\n" else " " for char in text)
    return quote + blank[1:-1] + quote if quote and len(text) > 1 else blank
