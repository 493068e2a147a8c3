"""The names of the failpoints: the program that is installed holds none of them, the one that is
linked with failpoints all.

    failpoint_names_test.py PROGRAM PROGRAM-WITH-FAILPOINTS
"""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).parents[2] / "src/pipeline/base/failpoint.cc"


def main():
    without, with_failpoints = sys.argv[1:]
    text = SOURCE.read_text(encoding="utf-8")
    names = re.findall(r'^    \{"([a-z._]+)"', text, re.MULTILINE)
    if len(names) < 10:
        sys.exit(f"{SOURCE} does not look as expected: {len(names)} names found")
    if held := _held(without, names):
        sys.exit(f"{without} holds failpoints: {', '.join(held)}")
    if missing := sorted(set(names) - set(_held(with_failpoints, names))):
        sys.exit(f"{with_failpoints} lacks failpoints: {', '.join(missing)}")
    print(f"{len(names)} names, in the one program alone")


def _held(program, names):
    """As whole strings: settings of Kafka begin with some of them."""
    content = pathlib.Path(program).read_bytes()
    return [name for name in names if name.encode() + b"\0" in content]


if __name__ == "__main__":
    main()
