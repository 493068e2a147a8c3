"""The built-in agents by name."""

from oracle import amount, geo, velocity
from oracle.model import Undecidable

_AGENTS = {"velocity": velocity, "amount": amount, "geo": geo}


def judge(rule, stream, history, event):
    """The agent's Finding, or None."""
    return _AGENTS[rule.agent].judge(rule.parameters, stream, history, event)


def same_state(one, other):
    """True when what a rule remembers means the same under both forms of it."""
    if (one.agent, one.key_suffix, one.filters) != (other.agent, other.key_suffix, other.filters):
        return False
    if one.parameters == other.parameters:
        return True
    if one.agent != "velocity":
        raise Undecidable(f"rule {one.id}: which of its parameters shape its state is not modelled")
    return velocity.remembered(one.parameters) == velocity.remembered(other.parameters)


def limit(rule, stream):
    return _AGENTS[rule.agent].limit(rule.parameters, stream)
