"""`caracal generate agent` writes a project that the commands of its README build, test and load,
from nothing but the installed SDK and the program.

Usage: generate_agent_test.py CARACAL BUILD_DIR C_COMPILER CXX_COMPILER
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

CARACAL, BUILD, C_COMPILER, CXX_COMPILER = sys.argv[1:5]


def run(command, folder, **environment):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                          shell=isinstance(command, str), env=dict(os.environ, **environment))


class GenerateAgentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.root)
        cls.prefix = cls.root / "prefix"
        result = run(["cmake", "--install", BUILD, "--prefix", cls.prefix, "--component",
                      "agent_sdk"], cls.root)
        assert result.returncode == 0, result.stderr
        (cls.prefix / "bin").mkdir()
        (cls.prefix / "bin" / "caracal").symlink_to(CARACAL)

    def generate(self, *arguments):
        return run([CARACAL, "generate", "agent", *arguments], self.root)

    def follow_readme(self, project):
        text = (project / "README.md").read_text(encoding="utf-8")
        commands = re.search("^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1].splitlines()
        self.assertEqual(len(commands), 3)
        for command in commands:
            result = run(command, project, CMAKE_PREFIX_PATH=str(self.prefix), CC=C_COMPILER,
                         CXX=CXX_COMPILER, CFLAGS="-Wall -Wextra -Werror",
                         CXXFLAGS="-Wall -Wextra -Werror", CMAKE_GENERATOR="Ninja",
                         PATH=f"{self.prefix}/bin:{os.environ['PATH']}")
            self.assertEqual(result.returncode, 0, f"{command}: {result.stdout}{result.stderr}")
        return result.stdout

    def test_a_project_in_each_language_builds_tests_and_loads(self):
        for language, source in (("cpp", "card_burst.cc"), ("c", "card_burst.c")):
            with self.subTest(language):
                project = self.root / language
                result = self.generate("card-burst", "--language", language, "--directory",
                                       str(project))
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(sorted(path.name for path in project.iterdir()),
                                 sorted(["CMakeLists.txt", "README.md", source,
                                         "card_burst_test.c"]))
                for path in project.iterdir():
                    self.assertNotIn("__NAME__", path.read_text(encoding="utf-8"))
                last = self.follow_readme(project)
                self.assertIn("card-burst 0.1.0", last)
                self.assertTrue(last.endswith("\nok\n"), last)

    def test_its_test_can_fail(self):
        project = self.root / "broken"
        self.assertEqual(self.generate("broken", "--language", "c").returncode, 0)
        source = project / "broken.c"
        text = source.read_text(encoding="utf-8")
        source.write_text(text.replace("> agent->max", "> agent->max + 1"), encoding="utf-8")
        with self.assertRaisesRegex(AssertionError, "it raises above max"):
            self.follow_readme(project)

    def test_a_name_no_agent_may_have_and_a_directory_that_exists(self):
        for arguments, says in ((["Card"], "cannot be the name of an agent"),
                                (["fine", "--directory", str(self.root)], "exists already"),
                                ([], "NAME")):
            with self.subTest(arguments):
                result = self.generate(*arguments)
                self.assertEqual(result.returncode, 64)
                self.assertIn(says, result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
