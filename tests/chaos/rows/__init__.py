"""One module per promise.

NAME, PROMISE; SMALL and FULL: how much; run(plan, seed): returns what was done, in words;
control(plan, seed): the same with the mitigation off, which must fail; always in the small size,
for it shows what the verdict sees. CONTROL_SEES: what that failure must say (a regular expression:
one for another reason proves nothing); CONTROL_IN_SMALL: whether the small size runs its control
too.
"""

from rows import (
    bounce,
    commit,
    compaction,
    duplicates,
    hostile,
    joins,
    kill,
    leaders,
    moves,
    offsets,
    poison,
    slow,
    stop,
    zombie,
)

ALL = [
    kill,
    commit,
    stop,
    bounce,
    moves,
    zombie,
    slow,
    offsets,
    compaction,
    poison,
    duplicates,
    hostile,
    leaders,
    joins,
]
