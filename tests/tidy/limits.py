"""How long things may be. The wanted sizes are smaller (STYLE.md); these are the hard ones."""

import re

from tree import Finding

FILE_LINES = 500
TEST_FILE_LINES = 800
HEADER_LINES = 220  # without comment lines
FUNCTION_LINES = 70
TEST_FUNCTION_LINES = 210  # a table of cases is one function
COLUMNS = 100

_SCRIPT_SUFFIXES = {".py", ".sh"}
_COLUMN_SUFFIXES = {".h", ".hpp", ".c", ".cc", ".py", ".sh"}
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_TYPE = re.compile(r"(template\s*<.*>\s*)?(typedef\s+)?(class|struct|union|enum)\b", re.DOTALL)
_NAMESPACE = re.compile(r"(inline\s+)?namespace\b|extern\s+\"")


def check(tree):
    for file in tree.files:
        script = file.suffix in _SCRIPT_SUFFIXES or file.path == "dev"
        if file.is_cpp or script:
            yield from _file_length(file)
        if file.suffix in _COLUMN_SUFFIXES or script:
            yield from _line_length(file)
        if file.is_header and file.under("src"):
            yield from _header_length(file)
        if file.is_cpp:
            yield from _function_length(file)


def _file_length(file):
    limit = TEST_FILE_LINES if file.under("tests", "bench") else FILE_LINES
    if len(file.lines) > limit:
        yield Finding(file.path, 0, "file-length", f"{len(file.lines)} lines, at most {limit}")


def _line_length(file):
    for number, line in enumerate(file.lines, 1):
        # Tests quote messages as they are on the wire.
        quoted = file.under("tests", "bench") and ('"' in line or "{" in line)
        if len(line) > COLUMNS and not quoted and "://" not in line and "#include" not in line:
            text = f"{len(line)} columns, at most {COLUMNS}"
            yield Finding(file.path, number, "line-length", text)


def _header_length(file):
    comments = sum(
        1 for line, bare in zip(file.lines, file.uncommented.splitlines())
        if line.strip() and not bare.strip()
    )
    lines = len(file.lines) - comments
    if lines > HEADER_LINES:
        text = f"{lines} lines without comments, at most {HEADER_LINES}"
        yield Finding(file.path, 0, "header-length", text)


def _function_length(file):
    for first, last in functions(file.code):
        limit = TEST_FUNCTION_LINES if file.under("tests", "bench") else FUNCTION_LINES
        if last - first + 1 > limit:
            text = f"function of {last - first + 1} lines, at most {limit}"
            yield Finding(file.path, first, "function-length", text)


def functions(code):
    """(first line, last line) of every outermost function body in `code` (no comments, blanked
    literals). Braces inside a function, lambdas included, belong to it."""
    code = _DIRECTIVE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), code)
    scan = _Scan(code)
    for match in re.finditer(r"[;{}]", code):
        span = scan.step(match[0], match.start())
        if span:
            yield span


class _Scan:
    """Brace matcher: knows for every open brace whether it opens a function."""

    def __init__(self, code):
        self._code = code
        self._head_start = 0
        self._scopes = []  # first line of the function, or None for any other brace
        self._depth_in_function = 0
        self._init_list = None  # first line of a function whose member{init} has just closed

    def step(self, char, position):
        span = None
        if char == "{":
            self._open(position)
        elif char == "}":
            span = self._close(position)
        else:
            self._init_list = None
        self._head_start = position + 1
        return span

    def _open(self, position):
        if self._depth_in_function:
            self._depth_in_function += 1
            return
        head = self._code[self._head_start:position].strip()
        first = self._first_line(head, position)
        self._scopes.append(first)
        if first is not None:
            self._depth_in_function = 1

    def _first_line(self, head, position):
        if self._init_list is not None and (not head or head.startswith(",")):
            return self._init_list
        self._init_list = None
        if not _opens_function(head):
            return None
        start = position - len(self._code[self._head_start:position].lstrip())
        return self._code.count("\n", 0, start) + 1

    def _close(self, position):
        if self._depth_in_function > 1:
            self._depth_in_function -= 1
            return None
        first = self._scopes.pop() if self._scopes else None
        self._depth_in_function = 0
        if first is None:
            self._init_list = None
            return None
        rest = self._code[position + 1:].lstrip()
        if rest.startswith((",", "{")):  # a member's initializer, the body is still to come
            self._init_list = first
            return None
        self._init_list = None
        return first, self._code.count("\n", 0, position) + 1


def _opens_function(head):
    if "(" not in head or head[-1] in "=,(" or _NAMESPACE.match(head):
        return False
    return not _TYPE.match(head) or head.endswith(")")
