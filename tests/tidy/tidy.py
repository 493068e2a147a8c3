#!/usr/bin/env python3
"""Checks what STYLE.md asks and no compiler does: layers, limits, banned text, layout, links.

Reads the checkout, changes nothing. Exit code 0: nothing found; 1: findings, one per line.
"""

import argparse
import pathlib
import sys

import layers
import layout
import limits
import links
import tokens
from tree import Tree

CHECKS = {module.__name__: module.check for module in (layers, limits, tokens, layout, links)}


def findings(root, names=tuple(CHECKS)):
    """All findings of the named checks below `root`, sorted by place."""
    tree = Tree(root)
    return sorted(finding for name in names for finding in CHECKS[name](tree))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", default=pathlib.Path(__file__).parents[2],
                        help="the checkout (default: the one this script is in)")
    parser.add_argument("--only", choices=sorted(CHECKS), action="append",
                        help="run this check; may be repeated (default: all)")
    arguments = parser.parse_args()
    found = findings(arguments.root, arguments.only or tuple(CHECKS))
    for finding in found:
        print(finding)
    print(f"tidy: {len(found)} problem{'' if len(found) == 1 else 's'}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
