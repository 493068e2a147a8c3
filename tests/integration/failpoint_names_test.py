"""Whether a program holds the names of the failpoints: a release must have none of them.

    failpoint_names_test.py PROGRAM present|absent
"""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).parents[2] / "src/pipeline/base/failpoint.cc"


def main():
    program, wanted = sys.argv[1:]
    text = SOURCE.read_text(encoding="utf-8")
    names = re.findall(r'^    \{"([a-z._]+)"', text, re.MULTILINE)
    if len(names) < 10:
        sys.exit(f"{SOURCE} does not look as expected: {len(names)} names found")
    content = pathlib.Path(program).read_bytes()
    held = [name for name in names if name.encode() in content]
    if wanted == "absent" and held:
        sys.exit(f"{program} holds failpoints: {', '.join(held)}")
    if wanted == "present" and held != names:
        sys.exit(f"{program} lacks failpoints: {sorted(set(names) - set(held))}")
    print(f"{len(names)} names, all {wanted}")


if __name__ == "__main__":
    main()
