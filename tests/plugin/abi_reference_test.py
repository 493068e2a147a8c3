"""The reference of the plugin interface is that of the header, whole.

Usage: abi_reference_test.py SOURCE_DIRECTORY
"""

import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(SOURCE / "cmake"))
import abi_reference  # pylint: disable=wrong-import-position

HEADER = (SOURCE / "src/agents/sdk/include/caracal/agent_abi.h").read_text(encoding="utf-8")
REFERENCE = (SOURCE / "src/agents/sdk/REFERENCE.md").read_text(encoding="utf-8")


class AbiReferenceTest(unittest.TestCase):
    def test_it_is_made_from_the_header(self):
        text = abi_reference.markdown(abi_reference.Header(HEADER), "caracal/agent_abi.h")
        self.assertEqual(REFERENCE, text,
                         "run cmake/abi_reference.py and look at what it has changed")

    def test_every_name_of_the_header_is_in_it(self):
        code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)
        names = set(re.findall(r"\b(?:caracal|CARACAL)_\w+", code)) - {"CARACAL_AGENT_ABI_H_"}
        self.assertGreater(len(names), 50)
        self.assertEqual([], sorted(name for name in names if name not in REFERENCE))

    def test_every_function_of_a_table_says_all_it_has_to(self):
        for entry in abi_reference.Header(HEADER).types:
            wanted = list(abi_reference.PARTS)
            if entry.name == "caracal_host":
                wanted.remove("Required")  # of plugins, not of the host
            for function in entry.functions:
                description, parts = abi_reference.split_parts(function.text)
                self.assertTrue(description, function.name)
                self.assertEqual(wanted, list(parts), function.name)

    def test_what_it_cannot_read_is_an_error(self):
        for text in ("/* a */\nstruct {", "/* a */\n@", "/* a */\ntypedef struct x {\n  int y;\n"):
            with self.assertRaises(abi_reference.HeaderError, msg=text):
                abi_reference.Header(text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
