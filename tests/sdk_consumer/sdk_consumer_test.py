"""Installs the plugin SDK, then configures, builds and runs this folder's agents from that alone,
and builds the installed examples.

Usage: sdk_consumer_test.py BUILD_DIR C_COMPILER CXX_COMPILER
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent
FILES = ["CMakeLists.txt", "busy_agent.cc", "large_agent.c", "run_agents.c"]


def run(*command, **options):
    print("+", *command, flush=True)
    return subprocess.run([str(part) for part in command], check=True, text=True, **options)


def build_with_cmake(project, prefix, compilers):
    build = project / "build"
    run("cmake", "-S", project, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        *compilers)
    run("cmake", "--build", build)
    run("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error")
    check_exports(build / "busy.so")


def build_examples(prefix, root, compilers):
    """Each example is copied from where it was installed, and built as a project of its own."""
    lists = sorted((prefix / "share/caracal/examples").glob("*/CMakeLists.txt"))
    examples = [file.parent for file in lists]
    assert [example.name for example in examples] == ["list", "scorer"], examples
    for example in examples:
        project = root / "examples" / example.name
        shutil.copytree(example, project)
        build = project / "build"
        run("cmake", "-S", project, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
            *compilers)
        run("cmake", "--build", build)
        check_exports(build / f"{example.name}.so")


def check_exports(library):
    exported = run("nm", "-D", "--defined-only", library, stdout=subprocess.PIPE).stdout
    symbols = [line.split()[-1] for line in exported.splitlines()]
    ours = [symbol for symbol in symbols if not symbol.startswith("_Z")]
    assert ours == ["caracal_agent_entry"], f"exports {ours}"


def build_with_pkg_config(project, prefix, compiler):
    directories = [str(path.parent) for path in prefix.rglob("caracal-agent-sdk.pc")]
    environment = dict(os.environ, PKG_CONFIG_PATH=":".join(directories))

    def ask(*arguments):
        answer = run("pkg-config", *arguments, "caracal-agent-sdk", env=environment,
                     stdout=subprocess.PIPE)
        return answer.stdout.split()

    flags = ask("--cflags")
    run(compiler, "-std=c11", "-shared", *flags, project / "large_agent.c", "-o",
        project / "large.so")
    assert (project / "large.so").exists()
    plugin_dir = ask("--variable=plugindir")
    assert len(plugin_dir) == 1 and plugin_dir[0].endswith("/caracal/agents"), plugin_dir


def check_documented_agent():
    """The agent of "Write an agent in ten minutes" is the one that is built here."""
    text = (SOURCE.parents[1] / "src/agents/README.md").read_text(encoding="utf-8")
    documented = text.split("```cpp\n")[1].split("```")[0]
    assert documented == (SOURCE / "busy_agent.cc").read_text(encoding="utf-8"), documented


def main():
    check_documented_agent()
    build_dir, c_compiler, cxx_compiler = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        prefix, project = root / "prefix", root / "project"
        run("cmake", "--install", build_dir, "--prefix", prefix, "--component", "agent_sdk")
        project.mkdir()
        for name in FILES:
            shutil.copy(SOURCE / name, project)
        compilers = [f"-DCMAKE_C_COMPILER={c_compiler}", f"-DCMAKE_CXX_COMPILER={cxx_compiler}"]
        build_with_cmake(project, prefix, compilers)
        build_with_pkg_config(project, prefix, c_compiler)
        build_examples(prefix, root, compilers)
    print("ok")


if __name__ == "__main__":
    main()
