"""The amount agent: fixed limits, a profile of the last amounts, a decayed z-score, round sums."""

import itertools
import math
from decimal import Decimal
from fractions import Fraction

from oracle.model import Finding, Near, Undecidable
from oracle.parameters import duration_us, fraction, money
from oracle.values import format_money

# Relative distance from a threshold within which two ways to compute in doubles may disagree.
_MARGIN = 1e-9


def judge(parameters, stream, history, event):
    """history: every earlier transaction of the key in log order."""
    if event.amount is None:
        return None
    for name, variant in _VARIANTS.items():
        if parameters.get(name) is not None:
            finding = variant(parameters, stream, history, event)
            if finding:
                finding.observed["amount"] = format_money(event.amount, stream.amount_scale)
                return finding
    return None


def _above(parameters, stream, _, event):
    exceeds = event.amount > money(parameters["above"], stream)
    return Finding("above_limit", {}) if exceeds else None


def _below(parameters, stream, _, event):
    exceeds = event.amount < money(parameters["below"], stream)
    return Finding("below_limit", {}) if exceeds else None


def _round(parameters, stream, _, event):
    options = parameters["round_amount"]
    matches = event.amount >= money(options["min"], stream) and (
        event.amount % money(options["multiple_of"], stream) == 0
    )
    return Finding("round_amount", {}) if matches else None


def _counted(parameters, events):
    """Those with an amount that counts: refunds and zeros only with `refunds: include`."""
    include = parameters.get("refunds") == "include"
    return [e for e in events if e.amount is not None and (include or e.amount > 0)]


def _profile(parameters, stream, history, event):
    options = parameters["profile"]
    if not _counted(parameters, [event]):
        return None
    prior = [e.amount for e in _counted(parameters, history)][-options["history"] :]
    if len(prior) < options["min_history"]:
        return None
    mean = Fraction(sum(prior), len(prior))
    if event.amount <= fraction(options["ratio"]) * mean:
        return None
    if options.get("floor") is not None and event.amount <= money(options["floor"], stream):
        return None
    ratio = event.amount / mean if mean > 0 else Fraction(0)
    observed = {
        "mean": format_money(_round_half_away(mean), stream.amount_scale),
        "ratio": _near(float(ratio), 0.001),
        "history": len(prior),
    }
    return Finding("above_profile", observed)


def _round_half_away(value):
    magnitude = (abs(value) * 2 + 1) // 2
    return int(magnitude if value >= 0 else -magnitude)


def _zscore(parameters, stream, history, event):
    """In floats, with a margin around the thresholds in which no answer is given."""
    options = parameters["zscore"]
    if not _counted(parameters, [event]):
        return None
    half_life = duration_us(options["half_life"])
    remembered = _current_history(_counted(parameters, history), half_life)
    if len(remembered) < options["min_history"]:
        return None
    if len({each.amount for each in remembered}) == 1:
        return None  # no variance
    mean, variance = _weighted(remembered, half_life)
    z = (event.amount - mean) / math.sqrt(variance)
    above = float(fraction(options["above"]))
    if abs(z - above) <= _MARGIN * max(1, above):
        raise Undecidable(f"z-score {z} is too close to {above}")
    if z <= above:
        return None
    unit = 10**-stream.amount_scale
    observed = {
        "mean": _near(mean * unit, unit),
        "deviation": _near(math.sqrt(variance) * unit, unit),
        "z": _near(z, 0.002),
        "history": len(remembered),
    }
    return Finding("above_zscore", observed)


def _near(value, tolerance):
    return Near(Decimal(value), Decimal(tolerance))


def _current_history(events, half_life):
    """The events since the last pause that let the weight of a history fall below half an amount:
    the event that ends such a pause begins a new history."""
    current = []
    weight, newest = 0.0, 0
    for event in events:
        if current:
            weight *= 2.0 ** -(max(0, event.event_time_us - newest) / half_life)
            if 0 < abs(weight - 0.5) <= _MARGIN:
                raise Undecidable("the weight of a history is too close to one half")
            if weight < 0.5:
                current, weight = [], 0.0
        newest = max(newest, event.event_time_us) if current else event.event_time_us
        current.append(event)
        weight += 1
    return current


def _weighted(events, half_life):
    """(mean, variance), each amount weighed by how far the newest time has moved on since it."""
    newest_after = list(itertools.accumulate((e.event_time_us for e in events), max))
    weights = [2.0 ** -((newest_after[-1] - newest) / half_life) for newest in newest_after]
    total = math.fsum(weights)
    mean = math.fsum(w * e.amount for w, e in zip(weights, events)) / total
    variance = math.fsum(w * (e.amount - mean) ** 2 for w, e in zip(weights, events)) / total
    return mean, variance


# In the order in which the agent's reasons take precedence.
_VARIANTS = {
    "above": _above,
    "below": _below,
    "profile": _profile,
    "zscore": _zscore,
    "round_amount": _round,
}


def limit(parameters, stream):
    """The `limit` object of the alert."""
    limits = {}
    for name in ("above", "below"):
        if parameters.get(name) is not None:
            limits[name] = _money_text(parameters[name], stream)
    if parameters.get("profile"):
        options = parameters["profile"]
        limits["profile"] = {
            "ratio": Near(Decimal(str(options["ratio"])), Decimal(0)),
            "min_history": options["min_history"],
        }
        if options.get("floor") is not None:
            limits["profile"]["floor"] = _money_text(options["floor"], stream)
    if parameters.get("zscore"):
        options = parameters["zscore"]
        limits["zscore"] = {
            "above": Near(Decimal(str(options["above"])), Decimal(0)),
            "min_history": options["min_history"],
        }
    if parameters.get("round_amount"):
        options = parameters["round_amount"]
        limits["round_amount"] = {
            name: _money_text(options[name], stream) for name in ("multiple_of", "min")
        }
    return limits


def _money_text(value, stream):
    return format_money(money(value, stream), stream.amount_scale)
