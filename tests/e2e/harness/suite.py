"""How the end-to-end tests are run: one stack per file, nothing skipped silently."""

import os
import shutil
import sys
import unittest

from harness import engine

SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def _missing(needs_binary):
    """What this machine lacks to run the suite, or None."""
    for program in ("java", "mvn", "psql", "kcat", "curl"):
        if not shutil.which(program):
            return f"the program {program}"
    if needs_binary and not engine.binary():
        return "the engine: set CARACAL_BINARY to the path of caracal"
    return None


def require(needs_binary=True):
    """On a machine that lacks something, exits with SKIPPED, or fails when CARACAL_E2E=1 demands
    that the tests run."""
    if missing := _missing(needs_binary):
        print(f"end-to-end tests need {missing}", file=sys.stderr)
        sys.exit(1 if os.environ.get("CARACAL_E2E") == "1" else SKIPPED)


def main(needs_binary=True):
    """unittest.main(), where the machine has what it needs: see require()."""
    require(needs_binary)
    unittest.main(verbosity=2)
