"""The built-in agents by name."""

from oracle import amount, geo, velocity

_AGENTS = {"velocity": velocity, "amount": amount, "geo": geo}


def judge(rule, stream, history, event):
    """The agent's Finding, or None."""
    return _AGENTS[rule.agent].judge(rule.parameters, stream, history, event)


def limit(rule, stream):
    return _AGENTS[rule.agent].limit(rule.parameters, stream)
