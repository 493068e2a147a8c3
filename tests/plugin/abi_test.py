"""The types of caracal/agent_abi.h are those of the baseline, as abidiff sees them.

Usage: abi_test.py C_COMPILER           compares
       abi_test.py C_COMPILER --renew   writes the baseline, for a new minor version
Exit code 77 (ctest: skipped) without abidiff or abidw.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "src/agents/sdk/include"
BASELINE = HERE / "abi_1_0/agent_abi_1_0.abi"
# All types of the interface can be reached from this function.
SURFACE = """\
#include <caracal/agent_abi.h>
const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return 0;
}
"""
CHANGED = 4  # abidiff: some difference

COMPILER = sys.argv[1]


def build(folder, include):
    source, library = folder / "surface.c", folder / "libsurface.so"
    source.write_text(SURFACE, encoding="utf-8")
    subprocess.run([COMPILER, "-g", "-O0", "-shared", "-fPIC", "-fno-eliminate-unused-debug-types",
                    f"-I{include}", source.name, "-o", library.name], cwd=folder, check=True)
    return library


def renew():
    with tempfile.TemporaryDirectory() as name:
        library = build(pathlib.Path(name), INCLUDE)
        subprocess.run(["abidw", "--no-show-locs", "--no-comp-dir-path", "--no-corpus-path",
                        "--no-architecture", "--out-file", BASELINE, library], check=True)


class AbiTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def differences(self, include):
        library = build(self.folder, include)
        return subprocess.run(["abidiff", "--no-architecture", BASELINE, library],
                              capture_output=True, text=True, check=False)

    def test_the_header_is_that_of_the_baseline(self):
        result = self.differences(INCLUDE)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_a_field_that_moves_is_seen(self):
        include = self.folder / "include"
        shutil.copytree(INCLUDE, include)
        header = include / "caracal/agent_abi.h"
        text = header.read_text(encoding="utf-8")
        moved = text.replace("  uint8_t fired;", "  uint16_t fired;")
        self.assertNotEqual(moved, text)
        header.write_text(moved, encoding="utf-8")
        result = self.differences(include)
        self.assertTrue(result.returncode & CHANGED, result.stdout + result.stderr)
        self.assertIn("caracal_verdict", result.stdout)


if __name__ == "__main__":
    if shutil.which("abidiff") is None or shutil.which("abidw") is None:
        print("skipped: abidiff is not installed (./dev test installs abigail-tools)")
        sys.exit(77)
    if "--renew" in sys.argv:
        renew()
    else:
        unittest.main(argv=sys.argv[:1])
