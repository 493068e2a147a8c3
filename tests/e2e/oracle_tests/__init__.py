"""Unit tests of the oracle on cases worked out by hand: python3 -m unittest discover."""
