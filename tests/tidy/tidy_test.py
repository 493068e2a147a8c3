#!/usr/bin/env python3
"""Self-test of tidy: a clean tree passes, and every rule fails on a violation planted in it."""

import pathlib
import tempfile
import unittest

import layers
import limits
import tidy
from tokens import BANS

CLEAN = {
    "CMakeLists.txt": "add_subdirectory(src)\n",
    "README.md": "# Caracal\n\nSee [the guide](docs/guide.md#first-steps) and [it](#caracal).\n",
    "docs/guide.md": "# Guide\n\n## First steps\n\n[site](https://example.org) `[no](link)`\n",
    "src/agents/api/CMakeLists.txt": "caracal_library(agents_api HEADERS agent.h)\n",
    "src/agents/api/agent.h": "// Licence.\n#pragma once\n#include <string>\n",
    "src/agents/geo/CMakeLists.txt":
        "caracal_library(\n  agents_geo # the agent\n  HEADERS geo.h\n  SOURCES geo.cc)\n",
    "src/agents/geo/README.md": "# geo\n",
    "src/agents/geo/geo.h": '#pragma once\n#include "agents/api/agent.h"\n',
    "src/agents/geo/geo.cc":
        '#include "agents/geo/geo.h"\n\n#include <fmt/format.h>\n\n// Like system_clock, but not.\n'
        'const char* kText = "std::rand()";\nconstexpr int kMillion = 1\'000\'000;\n',
    "src/agents/sdk/CMakeLists.txt": "add_subdirectory(example)\n",
    "src/agents/sdk/README.md": "# sdk\n",
    "src/agents/sdk/example/CMakeLists.txt":
        "caracal_example_agent(list HEADERS list/set.hpp SOURCES list/list.cc)\n",
    "src/agents/sdk/example/list/set.hpp": "#pragma once\n#include <mutex>\n",
    "src/agents/sdk/example/list/list.cc": '#include "set.hpp"\n',
    "src/pipeline/source/CMakeLists.txt":
        "caracal_library(pipeline_source HEADERS seek.h SOURCES poll.cc seek.cc)\n",
    "src/pipeline/source/seek.h": "#pragma once\n",
    "src/pipeline/source/seek.cc": "int seek;\n",
    "src/pipeline/source/README.md": "# source\n",
    "src/pipeline/source/poll.cc": "#include <librdkafka/rdkafka.h>\n",
    "tests/unit/geo/CMakeLists.txt": "caracal_test(geo_test SOURCES geo_test.cc)\n",
    "tests/unit/geo/geo_test.cc": "TEST(GeoTest, MeasuresAlongTheSurface) {}\n",
}

GEO = "src/agents/geo/geo.cc"
GEO_HEADER = "src/agents/geo/geo.h"
POLL = "src/pipeline/source/poll.cc"
TEST = "tests/unit/geo/geo_test.cc"


def long_function(lines):
    return "int Long() {\n" + "  Step();\n" * (lines - 2) + "}\n"


# What is planted: rule, file, text appended to it.
PLANTED = [
    ("layer", GEO, '#include "pipeline/types/epoch.h"\n'),
    ("layer", GEO, '#include "agents/velocity/window.h"\n'),
    ("layer", POLL, '#include "pipeline/decode/decoder.h"\n'),
    ("layer", POLL, '#include "pipeline/engine/engine.h"\n'),
    ("layer", "src/agents/mystery/CMakeLists.txt", ""),
    ("door", POLL, "#include <simdjson.h>\n"),
    ("door", GEO, "#include <librdkafka/rdkafka.h>\n"),
    ("door", POLL, '#include "caracal/config/v1/config.pb.h"\n'),
    ("door", POLL, "#include <boost/asio/io_context.hpp>\n"),
    ("door", POLL, "#include <curl/curl.h>\n"),
    ("door", "src/agents/sdk/example/list/list.cc", '#include "not_beside.hpp"\n'),
    ("determinism", "src/agents/sdk/example/list/list.cc", "#include <chrono>\n"),
    ("determinism", GEO, "#include <chrono>\n"),
    ("determinism", GEO, "double D() { return std::sin(1.0); }\n"),
    ("determinism", GEO, "auto Now() { return std::steady_clock::now(); }\n"),
    ("file-length", GEO, "int x;\n" * limits.FILE_LINES),
    ("file-length", TEST, "int x;\n" * limits.TEST_FILE_LINES),
    ("header-length", GEO_HEADER, "int x;\n" * limits.HEADER_LINES),
    ("function-length", GEO, long_function(limits.FUNCTION_LINES + 1)),
    ("function-length", TEST, "TEST(A, B) {\n" + "  if (a) {\n  }\n" * limits.TEST_FUNCTION_LINES + "}\n"),
    ("line-length", GEO, "int " + "x" * limits.COLUMNS + ";\n"),
    ("unfinished", GEO, "// TODO(me): finish\n"),
    ("unfinished", "README.md", "FIXME\n"),
    ("unfinished", GEO, "int x;  // XXX\n"),
    ("local-path", TEST, 'const char* kData = "/work/data";\n'),
    ("local-path", GEO, 'const char* kFile = "/tmp/state";\n'),
    ("regex", GEO, "std::regex pattern;\n"),
    ("using-namespace", TEST, "using namespace std;\n"),
    ("rand", TEST, "int Pick() { return std::rand(); }\n"),
    ("dead-code", GEO, "#if 0\n#endif\n"),
    ("sleep", TEST, "void Wait() { std::this_thread::sleep_for(kLong); }\n"),
    ("sleep", TEST, "void Wait() { usleep(5); }\n"),
    ("sleep", TEST, "void Wait() { absl::SleepFor(kLong); }\n"),
    ("disabled-test", TEST, "TEST(GeoTest, DISABLED_Flies) {}\n"),
    ("test-door", GEO_HEADER, "class Geo { friend class GeoTest; };\n"),
    ("test-door", GEO_HEADER, "void ResetForTest();\n"),
    ("readme", "src/agents/geo/README.md", None),
    ("vague-name", "src/agents/geo/geo_utils.cc", "int x;\n"),
    ("vague-name", GEO_HEADER, "class GeoHelper {};\n"),
    ("include-guard", "src/agents/geo/late.h", "#include <string>\n#pragma once\n"),
    ("include-guard", "src/agents/sdk/include/caracal/abi.h", "#pragma once\n"),
    ("own-header", "src/pipeline/source/seek.cc", "#include <string>\n"),
    ("unlisted", "src/agents/geo/orphan.h", "#pragma once\n"),
    ("unlisted", "src/agents/geo/orphan.cc", "int x;\n"),
    ("unlisted", "tests/unit/geo/forgotten_test.cc", "int x;\n"),
    ("unlisted", GEO, None),
    ("broken-link", "README.md", "[gone](docs/gone.md)\n"),
    ("broken-link", "README.md", "[heading](docs/guide.md#second-steps)\n"),
    ("broken-link", "README.md", "[out](../elsewhere.md)\n"),
]


class PlantedTree(unittest.TestCase):
    """A temporary clean tree to plant violations in."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidy-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for path, text in CLEAN.items():
            self.plant(path, text)

    def plant(self, path, text):
        """Appends to the file; None removes it."""
        file = self.root / path
        if text is None:
            file.unlink()
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(text)


class TidyTest(PlantedTree):
    def test_a_clean_tree_passes(self):
        self.assertEqual([], [str(f) for f in tidy.findings(self.root)])

    def test_an_empty_tree_passes(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual([], tidy.findings(empty))

    def test_limits_are_inclusive(self):
        self.plant(GEO, long_function(limits.FUNCTION_LINES))
        self.plant(GEO, "int " + "x" * (limits.COLUMNS - 5) + ";\n")
        lines = (self.root / GEO).read_text(encoding="utf-8").count("\n")
        self.plant(GEO, "int y;\n" * (limits.FILE_LINES - lines))
        self.plant(GEO_HEADER, "/// Comments are free.\n" * limits.HEADER_LINES)
        self.assertEqual([], [str(f) for f in tidy.findings(self.root)])

    def test_a_name_with_a_variable_stands_for_any_text(self):
        self.plant("tests/fuzz/json_fuzz.cc", "int x;\n")
        self.plant("tests/fuzz/CMakeLists.txt", "caracal_fuzz(f SOURCES ${name}_fuzz.cc)\n")
        self.plant("tests/fuzz/main.cc", "int x;\n")
        self.plant("cmake/Fuzz.cmake",
                   'target_sources(t PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/main.cc")\n')
        self.assertEqual([], [str(f) for f in tidy.findings(self.root)])

    def test_a_list_may_name_files_of_other_folders(self):
        self.plant("src/agents/geo/CMakeLists.txt", "caracal_library(x SOURCES ../amount/a.cc)\n")
        self.plant("src/agents/amount/a.cc",
                   'using namespace std::string_view_literals;\nauto kNoCurrency = "XXX"sv;\n')
        self.plant("src/agents/amount/README.md", "# amount\n")
        self.assertEqual([], [str(f) for f in tidy.findings(self.root)])

    def test_every_rule_has_a_planted_violation(self):
        rules = {ban.rule for ban in BANS} | {
            "layer", "door", "file-length", "header-length", "function-length", "line-length",
            "readme", "vague-name", "include-guard", "own-header", "unlisted",
            "broken-link"}
        self.assertEqual(rules, {rule for rule, _, _ in PLANTED})

    def test_every_layer_names_folders_that_have_a_layer(self):
        for folder, allowed in layers.MAY_INCLUDE.items():
            for entry in allowed:
                target = "/".join(entry.split("/")[:2])
                self.assertTrue(entry == "*" or target in layers.MAY_INCLUDE, (folder, entry))


class PlantedViolationTest(PlantedTree):
    """One test per entry of PLANTED, added below."""


def _planted_test(rule, path, text):
    def test(self):
        if path.startswith("src/agents/mystery"):
            self.plant("src/agents/mystery/x.cc", "#include <string>\n")
        self.plant(path, text)
        folder = path.rsplit("/", 1)[0]
        found = [str(f) for f in tidy.findings(self.root)
                 if f.rule == rule and (f.path == folder or f.path.startswith(folder + "/")
                                        or f.path == path)]
        self.assertEqual(1, len(found), found)
    return test


for _index, _case in enumerate(PLANTED):
    setattr(PlantedViolationTest, f"test_{_index:02}_{_case[0].replace('-', '_')}",
            _planted_test(*_case))


class FunctionScanTest(unittest.TestCase):
    """The brace scanner on the shapes C++ functions take."""

    def check(self, code, *spans):
        self.assertEqual(list(spans), list(limits.functions(code)))

    def test_free_function_in_namespaces(self):
        self.check("namespace a {\nnamespace {\nint F() {\n  return 1;\n}\n}\n}\n", (3, 5))

    def test_signature_over_several_lines_counts(self):
        self.check("int F(int a,\n      int b)\n    noexcept {\n}\n", (1, 4))

    def test_members_of_a_class_are_separate(self):
        self.check("class A : B<int()> {\n int F() const { return 1; }\n int G() {\n }\n};\n",
                   (2, 2), (3, 4))

    def test_constructor_with_brace_initialised_members(self):
        self.check("A::A(int x)\n    : a_{x},\n      b_{x} {\n  Init();\n}\n", (1, 5))

    def test_lambdas_belong_to_their_function(self):
        self.check("void F() {\n  auto f = [] {\n    if (x) {}\n  };\n}\n", (1, 5))

    def test_tables_enums_and_structs_are_no_functions(self):
        self.check("enum class E : int {\n kA,\n};\nconst int kT[] = {\n 1,\n};\nstruct S {\n};\n")

    def test_function_that_returns_a_struct(self):
        self.check("struct S F(void) {\n}\n", (1, 2))

    def test_macros_of_several_lines_are_skipped(self):
        self.check("#define M(x) \\\n  do {  \\\n  x; \\\n  } while (0)\nint F() {\n}\n", (5, 6))


if __name__ == "__main__":
    unittest.main()
