"""The parts of the chaos tests by themselves: no servers."""
