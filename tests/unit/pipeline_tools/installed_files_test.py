"""Checks what `cmake --install` brings: program, manual page, shell completions, documents.

usage: installed_files_test.py CMAKE BUILD_DIR
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

CMAKE, BUILD = sys.argv[1:3]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def walk(program, path=("caracal",)):
    """(path, options, commands) of every command, as --help names them; options: {name: whether it
    takes a value}."""
    text = run(program, *path[1:], "--help").stdout
    heads = re.findall(r"^  (-.*?)(?:  |$)", text, re.MULTILINE)
    options = {
        name: re.search(r" [^-\s]\S*$", head) is not None
        for head in heads
        for name in re.findall(r"(?:^|, )(--?[a-z-]+)", head)
    }
    _, _, tail = text.partition("\nCommands:\n")
    commands = re.findall(r"^  ([a-z]\S*)", tail.partition("\n\n")[0], re.MULTILINE)
    yield path, options, commands
    for command in commands:
        yield from walk(program, (*path, command))


class InstalledFilesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.prefix = pathlib.Path(directory.name)
        done = run(CMAKE, "--install", BUILD, "--prefix", str(cls.prefix))
        assert done.returncode == 0, done.stderr
        cls.program = str(cls.prefix / "bin/caracal")
        cls.commands = list(walk(cls.program))
        cls.page = cls.prefix / "share/man/man1/caracal.1"
        completions = {
            "bash": "bash-completion/completions/caracal",
            "zsh": "zsh/site-functions/_caracal",
            "fish": "fish/vendor_completions.d/caracal.fish",
        }
        cls.scripts = {shell: cls.prefix / "share" / p for shell, p in completions.items()}

    def test_the_walk_finds_the_commands(self):
        paths = {" ".join(path) for path, _, _ in self.commands}
        expected = {"caracal", "caracal run", "caracal list rulesets", "caracal completion zsh"}
        self.assertLessEqual(expected, paths)
        options = {path: options for path, options, _ in self.commands}
        expected = {"-c": True, "--config": True, "--set": True, "--format": True}
        expected |= {"-h": False, "--help": False, "--deny-warnings": False}
        expected |= dict.fromkeys(["--plugin", "--params", "--feature", "--events", "--timeout",
                                   "--seed"], True)
        self.assertEqual(options["caracal", "validate"], expected)

    def test_help_fits_a_terminal_of_80_columns(self):
        for path, _, _ in self.commands:
            for line in run(self.program, *path[1:], "--help").stdout.splitlines():
                self.assertLessEqual(len(line), 80, f"{path}: {line}")

    def test_documents_are_installed(self):
        documents = self.prefix / "share/doc/caracal"
        for name in ("LICENSE", "README.md", "CHANGELOG.md", "examples/caracal.yaml"):
            self.assertTrue((documents / name).is_file(), name)
        example = run(self.program, "validate", "-c", str(documents / "examples/caracal.yaml"))
        self.assertEqual(example.returncode, 0, example.stderr)

    # -- the manual page

    def test_the_manual_has_every_command_and_option(self):
        text = self.page.read_text(encoding="utf-8").replace(r"\-", "-")
        sections = re.split(r"^\.S[SH] ", text, flags=re.MULTILINE)
        for path, options, _ in self.commands:
            title = f'"{" ".join(path)} ' if len(path) > 1 else "OPTIONS"
            section = next((s for s in sections if s.startswith(title)), "")
            heads = " ".join(re.findall(r"^\\fB(-.*)\\fR$", section, re.MULTILINE))
            named = set(re.findall(r"(?:^|[ ,])(--?[a-z-]+)", heads))
            self.assertEqual(named, set(options), path)

    def test_the_manual_keeps_the_words_of_the_help(self):
        text = run("groff", "-man", "-Tascii", "-rLL=200n", "-P-cbou", str(self.page)).stdout
        if not text:
            self.skipTest("no groff here")
        words = " ".join(text.split())
        self.assertIn("--set PATH=VALUE Override a setting, for example --set kafka.group", words)
        self.assertIn("caracal validate -c deploy/examples/caracal.yaml", words)
        self.assertIn("78 wrong configuration", words)

    def test_formatters_have_nothing_to_complain_about(self):
        formatters = [
            ["groff", "-man", "-Tutf8", "-ww", "-z", "-rCHECKSTYLE=3"],
            ["mandoc", "-T", "lint", "-W", "warning"],
        ]
        available = [command for command in formatters if shutil.which(command[0])]
        if not available:
            self.skipTest("neither groff nor mandoc here")
        for command in available:
            done = run(*command, str(self.page))
            self.assertEqual(done.stderr + done.stdout, "", command[0])
            self.assertEqual(done.returncode, 0, command[0])

    # -- completion

    def complete(self, *words):
        """What bash offers for the last word, typed by a user."""
        script = (
            'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=();'
            'read -r _ _ function _ < <(complete -p caracal); "$function" caracal;'
            '((${#COMPREPLY[@]} == 0)) || printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = run("bash", "-uc", script, "bash", str(self.scripts["bash"]), *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout.splitlines()

    def test_bash_completes_every_command_and_option(self):
        for path, options, commands in self.commands:
            self.assertEqual(set(self.complete(*path, "")), set(options) | set(commands), path)

    def test_bash_completes_what_was_begun(self):
        for words, offered in [
            (["va"], ["validate"]),
            (["list", "ru"], ["rulesets"]),
            (["validate", "--de"], ["--deny-warnings"]),
            (["validate", "-c", "a.yaml", "--fo"], ["--format"]),
            (["validate", "--deny-warnings", "--fo"], ["--format"]),
            (["validate", "--format", ""], ["text", "json", "github"]),
            (["validate", "--format", "=", "gi"], ["github"]),
            (["validate", "--format", "="], ["text", "json", "github"]),
            (["demo", "--rate", ""], []),
            (["nonsense", "va"], ["validate"]),
        ]:
            self.assertEqual(self.complete("caracal", *words), offered, words)

    def test_bash_completes_files(self):
        (self.prefix / "with space.yaml").touch()
        for option in ("-c", "--config"):
            found = self.complete("caracal", "run", option, f"{self.prefix}/with")
            self.assertEqual(found, [f"{self.prefix}/with space.yaml"])

    def test_zsh_and_fish_scripts_have_every_command_and_option(self):
        zsh = self.scripts["zsh"].read_text(encoding="utf-8")
        fish = self.scripts["fish"].read_text(encoding="utf-8")
        for path, options, commands in self.commands:
            function = re.search(rf"^_{'_'.join(path)}\(\) {{\n.*?^}}", zsh, re.DOTALL | re.MULTILINE)
            in_zsh = {
                name: mark != ""
                for name, mark in re.findall(r"'\*(--?[a-z-]+?)([+=]?)\[", function[0])
            }
            self.assertEqual(in_zsh, options, path)
            for command in commands:
                self.assertIn(f"'{command}:", function[0])
                self.assertIn(f"{command}) _{'_'.join((*path, command))} ;;", function[0])
            start = f"complete -c caracal -n '__caracal_at {' '.join(path)}' "
            own = "\n".join(line for line in fish.splitlines() if line.startswith(start))
            in_fish = {f"--{name}" for name in re.findall(r" -l (\S+)", own)}
            in_fish |= {f"-{name}" for name in re.findall(r" -s (\S+)", own)}
            self.assertEqual(in_fish, set(options), path)
            self.assertEqual(re.findall(r" -a ([a-z]+) -d", own), commands, path)

    def test_shells_accept_their_scripts(self):
        shells = [shell for shell in self.scripts if shutil.which(shell)]
        for shell in shells:
            done = run(shell, "-n", str(self.scripts[shell]))
            self.assertEqual((done.returncode, done.stderr), (0, ""), shell)
        if shutil.which("shellcheck"):
            done = run("shellcheck", str(self.scripts["bash"]))
            self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
