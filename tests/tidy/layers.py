"""Who may include what: the layers of the source tree, and one library, one door.

The tables below are the rule. A new dependency between folders, or a new third-party library, is a
decision: change the table in the same commit, and say why in its message.
"""

import re

from tree import Finding

_API = ["agents/api"]
_STATE = ["agents/api", "agents/state"]
_CLOSED = ["pipeline/types", "pipeline/ports", "pipeline/base"]
# Events carry the hash of their key, so whoever handles events may name its type.
_STAGE = [*_CLOSED, *_API, "agents/state/key_hash.h"]

# Folder below src -> folders (or single headers) it may include, besides itself. "*" = all of ours.
MAY_INCLUDE = {
    "agents/sdk": [],
    "agents/api": [],
    "agents/state": _API,
    "agents/velocity": _STATE,
    "agents/amount": _STATE,
    "agents/geo": _STATE,
    "agents/ruleset": _STATE,
    "agents/plugin": [*_STATE, "agents/sdk"],
    "agents/builtin": [*_STATE, "agents/velocity", "agents/amount", "agents/geo"],
    "pipeline/types": [*_STATE, "pipeline/base"],
    "pipeline/ports": [*_STATE, "pipeline/types", "pipeline/base"],
    "pipeline/base": _API,
    "pipeline/kafka": [*_CLOSED, *_API],
    "pipeline/source": [*_STAGE, "pipeline/kafka"],
    "pipeline/decode": _STAGE,
    "pipeline/route": _STAGE,
    "pipeline/execute": [*_STAGE, "agents/state", "agents/ruleset"],
    "pipeline/emit": [*_STAGE, "pipeline/kafka"],
    "pipeline/commit": [*_STAGE, "pipeline/kafka"],
    "pipeline/snapshot": [*_STAGE, "agents/state", "pipeline/kafka"],
    "pipeline/observe": [*_CLOSED, *_API],
    "pipeline/config": [*_CLOSED, *_API],
    # Loading needs files, JSON and the log; what a plugin is to the rules is agents/plugin's.
    "pipeline/plugins": [*_CLOSED, *_API, "pipeline/config", "agents/plugin", "agents/sdk"],
    # The plugin on trial is loaded as by the engine, and run without its stages.
    "pipeline/conformance": [*_CLOSED, *_API, "pipeline/config", "pipeline/plugins"],
    "pipeline/control": [*_CLOSED, *_API, "pipeline/config", "pipeline/observe"],
    "pipeline/generate": [*_CLOSED, *_API, "pipeline/kafka"],
    # The demo runs the whole engine against a broker inside the process.
    "pipeline/demo": ["*"],
    "pipeline/engine": ["*"],
    "pipeline/tools": ["*"],
}
# Nothing includes the composition root, the demo and the commands, but each other.
ROOTS = ("pipeline/engine", "pipeline/demo", "pipeline/tools")

# Library -> (headers, folders whose code may use it).
DOORS = {
    "fmt": (r"fmt/", ["agents", "pipeline"]),
    "Abseil": (r"absl/", ["agents", "pipeline"]),
    "librdkafka": (
        r"librdkafka/",
        ["pipeline/kafka", "pipeline/source", "pipeline/emit", "pipeline/commit",
         "pipeline/snapshot", "pipeline/generate", "pipeline/demo", "pipeline/tools"],
    ),
    "simdjson": (r"simdjson(\.h$|/)", ["pipeline/decode"]),
    "prometheus-cpp": (r"prometheus/", ["pipeline/observe"]),
    "Boost": (r"boost/", ["pipeline/control"]),
    "yaml-cpp": (r"yaml-cpp/", ["pipeline/config"]),
    "RE2": (r"re2/", ["pipeline/config"]),
    "spdlog": (r"spdlog/", ["pipeline/observe"]),
    "xxHash": (r"xxhash\.h$", ["agents/state"]),
    "OpenSSL": (r"openssl/", ["pipeline/base", "pipeline/emit"]),
    "CLI11": (r"CLI/", ["pipeline/tools"]),
    "libpq": (r"(postgresql/)?libpq-fe\.h$", ["pipeline/generate"]),
    "protobuf": (
        r"google/protobuf/|.*\.pb\.h$",
        ["pipeline/config", "pipeline/emit", "pipeline/snapshot", "pipeline/control",
         "pipeline/engine", "pipeline/demo", "pipeline/tools"],
    ),
}

# The agents are deterministic: these headers bring threads, clocks, randomness or I/O.
IMPURE_HEADERS = {
    "atomic", "chrono", "condition_variable", "ctime", "filesystem", "fstream", "future",
    "iostream", "mutex", "random", "shared_mutex", "thread", "absl/time/clock.h",
    "absl/synchronization/mutex.h",
}
IMPURE_ALLOWED = ("agents/plugin",)
# Which bytes the memory of state lends is no part of a verdict, and threads hand state on.
SHARED_MEMORY = "src/agents/state/huge_page_pool.h"
SHARED_MEMORY_MAY_INCLUDE = {"mutex"}

# An example is a stranger's project: the SDK, the standard library and the files beside it. Agents
# are made on several threads, so what they share when they are made has a lock.
EXAMPLES = "src/agents/sdk/example"
EXAMPLES_MAY_INCLUDE = {"mutex"}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
_STANDARD = re.compile(r"[a-z0-9_]+$")
_SYSTEM = re.compile(
    r"(sys|netinet|arpa|linux|net)/[a-z0-9_]+\.h$"
    r"|([a-z]*intrin|arm_neon)\.h$"
    r"|(assert|ctype|cxxabi|dirent|dlfcn|elf|errno|execinfo|fcntl|fnmatch|getopt|glob|inttypes"
    r"|limits|link|locale|malloc|math|netdb|poll|pthread|pwd|sched|signal|stdalign|stdarg|stdbool"
    r"|stddef|stdint|stdio|stdlib|string|strings|sysexits|syslog|termios|time|unistd)\.h$"
)


def check(tree):
    unknown = set()
    for file in tree.cpp("src"):
        folder = _folder(file.path[len("src/"):])
        if folder not in MAY_INCLUDE:
            unknown.add(folder)
            continue
        for line, match in file.matches(_INCLUDE, file.uncommented):
            header = match[2]
            if file.under(EXAMPLES) and _is_of_example(tree, file, header):
                continue
            if file.path == SHARED_MEMORY and header in SHARED_MEMORY_MAY_INCLUDE:
                continue
            problem = _judge(folder, header)
            if problem:
                yield Finding(file.path, line, *problem)
    for folder in unknown:
        text = "not in tests/tidy/layers.py: decide what it may include"
        yield Finding(f"src/{folder}", 0, "layer", text)


def _is_of_example(tree, file, header):
    beside = file.path.rsplit("/", 1)[0] + "/" + header
    return header in EXAMPLES_MAY_INCLUDE or any(other.path == beside for other in tree.cpp("src"))


def _judge(folder, header):
    if header.endswith(".pb.h"):
        return _judge_door(folder, header)
    if header.startswith(("agents/", "pipeline/", "caracal/")):
        return _judge_own(folder, header)
    if header in IMPURE_HEADERS and _is_pure(folder):
        return "determinism", f"<{header}> in an agent: a verdict is a function of event and state"
    if _STANDARD.match(header) or _SYSTEM.match(header):
        return None
    return _judge_door(folder, header)


def _judge_own(folder, header):
    if header.startswith("caracal/"):
        header = "agents/sdk/include/" + header
    target = _folder(header)
    if target == folder:
        return None
    if target in ROOTS and folder not in ROOTS:
        return "layer", f"{folder} includes {header}: nothing includes the composition root"
    for allowed in MAY_INCLUDE[folder]:
        if allowed in ("*", header, target):
            return None
    return "layer", f"{folder} may not include {header} (tests/tidy/layers.py says what it may)"


def _judge_door(folder, header):
    for library, (pattern, folders) in DOORS.items():
        if re.match(pattern, header):
            if folder != "agents/sdk" and any(_inside(folder, door) for door in folders):
                return None
            doors = ", ".join(folders)
            return "door", f"{header}: {library} may be used only in {doors}"
    return "door", f"{header}: unknown library; give it one door in tests/tidy/layers.py"


def _folder(path):
    return "/".join(path.split("/")[:2])


def _inside(folder, door):
    return folder == door or folder.startswith(door + "/")


def _is_pure(folder):
    return folder.startswith("agents/") and folder not in IMPURE_ALLOWED
