"""Text that must not appear: unfinished work, test doors, sleeps, clocks in agents, local paths."""

import dataclasses
import re

from tree import Finding


@dataclasses.dataclass(frozen=True)
class Ban:
    rule: str
    pattern: re.Pattern
    folders: tuple  # empty = every text file
    message: str
    code_only: bool = True  # False: comments and literals count too
    exempt: tuple = ()


_CODE = ("src", "tests", "bench")
# These two spell out what they forbid.
_SELF = ("tests/tidy", "STYLE.md")
_LIBM = "sin|cos|tan|asin|acos|atan|atan2|exp|exp2|expm1|log|log2|log10|log1p|pow|cbrt|hypot|fma"

BANS = (
    # "XXX" in quotes is a currency: ISO 4217 for none.
    Ban("unfinished", re.compile(r"\b(TODO|FIXME|(?<!\")XXX(?!\")|HACK)\b"), (),
        "finish it or open an issue", code_only=False, exempt=_SELF),
    Ban("local-path", re.compile(r"(?<![\w.$}])/work/"), (),
        "a path of one machine", code_only=False, exempt=_SELF),
    Ban("local-path", re.compile(r"(?<![\w.$}])/tmp/"), ("src",),
        "take the folder from the caller or from $TMPDIR", code_only=False),
    Ban("regex", re.compile(r"std::(w?regex|basic_regex)\b|#\s*include\s*<regex>"), _CODE,
        "std::regex is slow and recursive; parse, or use RE2"),
    Ban("using-namespace", re.compile(r"\busing\s+namespace\s+(?!std::(\w+_)?literals\b)"), _CODE,
        "name what you use"),
    Ban("rand", re.compile(r"\b(std::)?s?rand\s*\("), _CODE,
        "use a seeded engine of <random>"),
    Ban("dead-code", re.compile(r"^[ \t]*#[ \t]*if[ \t]+0\b", re.MULTILINE), _CODE,
        "delete it; git remembers"),
    Ban("sleep",
        re.compile(r"\bsleep_(for|until)\b|\b(u|nano)?sleep\s*\(|\babsl::SleepFor\b"), ("tests",),
        "wait for the condition, or move a manual clock"),
    Ban("disabled-test", re.compile(r"\bDISABLED_"), ("tests",),
        "mend the test or delete it"),
    Ban("test-door",
        re.compile(r"\bfriend\s+class\s+[\w:]*Test\b|\bFRIEND_TEST\b|\b\w+ForTest(ing|s)?\s*\("),
        ("src",), "test through the public interface"),
    Ban("determinism", re.compile(rf"\b(?:std::|::)({_LIBM})f?\s*\("), ("src/agents",),
        "libm differs between hosts; use + - * / sqrt or a polynomial of our own"),
    Ban("determinism",
        re.compile(r"\b(system_clock|steady_clock|absl::Now|clock_gettime|gettimeofday)\b"),
        ("src/agents",), "agents know event time only"),
)


def check(tree):
    for ban in BANS:
        for file in tree.files:
            if _applies(ban, file):
                view = file.code if ban.code_only else file.text
                for line, match in file.matches(ban.pattern, view):
                    text = match[0].strip()
                    yield Finding(file.path, line, ban.rule, f"'{text}': {ban.message}")


def _applies(ban, file):
    if file.under(*ban.exempt) or file.path in ban.exempt:
        return False
    if ban.code_only and not file.is_cpp:
        return False
    return not ban.folders or file.under(*ban.folders)
