"""What the state topic takes on the disk of a broker on this machine."""

import collections
import contextlib
import dataclasses
import threading

SAMPLE_SECONDS = 1


@dataclasses.dataclass
class LogSize:
    """Bytes of all partitions. dirty: not compacted yet; active: of it, in the segments that are
    written to, which compaction passes over."""

    all: int
    dirty: int
    active: int


class StateLog:
    """Looks at the files of a topic once a second, on a thread of its own, while a block runs.

    directory: the broker's log.dirs. Compaction of a partition is seen by how far it has come: the
    broker writes that down after each run.
    """

    def __init__(self, directory, topic):
        self._directory = directory
        self._topic = topic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._sizes = []
        self._compacted = {}
        self._runs = collections.Counter()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def sizes(self):
        """[LogSize], one per second so far."""
        return list(self._sizes)

    def runs(self):
        """Compactions so far, over all partitions."""
        return self._runs.total()

    def _watch(self):
        while not self._stop.wait(SAMPLE_SECONDS):
            self._look_at_compaction()
            self._sizes.append(self._size())

    def _look_at_compaction(self):
        with contextlib.suppress(OSError):  # there is no file before the first run
            for line in (self._directory / "cleaner-offset-checkpoint").read_text().splitlines():
                fields = line.split()
                if len(fields) != 3 or fields[0] != self._topic:
                    continue
                partition, offset = int(fields[1]), int(fields[2])
                if self._compacted.get(partition, 0) != offset:
                    self._compacted[partition] = offset
                    self._runs[partition] += 1

    def _size(self):
        size = LogSize(0, 0, 0)
        for folder in self._directory.glob(f"{self._topic}-*"):
            segments = {}
            for file in folder.glob("*.log"):
                with contextlib.suppress(OSError):  # compacted away in this moment
                    segments[int(file.stem)] = file.stat().st_size
            beginning = self._compacted.get(int(folder.name.rpartition("-")[2]), 0)
            size.all += sum(segments.values())
            size.dirty += sum(each for base, each in segments.items() if base >= beginning)
            size.active += segments[max(segments)] if segments else 0
        return size
