"""The velocity agent: too many, too much or too many different ones within a sliding window."""

from oracle.model import Finding
from oracle.parameters import duration_us, money
from oracle.values import format_money


def default_capacity(parameters):
    limits = [parameters.get("max_count"), (parameters.get("distinct") or {}).get("max")]
    capacity = 1 + max((limit for limit in limits if limit is not None), default=0)
    exact_alone = not parameters.get("max_amount") and not parameters.get("distinct")
    return capacity if exact_alone else max(capacity, 64)


def remembered(parameters):
    """What decides which events are kept and what of them; limits do not, as long as the capacity
    is the same."""
    return (
        duration_us(parameters["window"]),
        parameters.get("capacity") or default_capacity(parameters),
        bool(parameters.get("max_amount")) and (True, parameters.get("refunds")),
        (parameters.get("distinct") or {}).get("attribute"),
    )


def judge(parameters, stream, history, event):
    """The window is closed, [T - W, T], T being the newest time of the key, event included.

    history: every earlier transaction of the key in log order, whatever its amount.
    """
    window_us = duration_us(parameters["window"])
    seen = history + [event]
    newest = max(each.event_time_us for each in seen)
    if event.event_time_us < newest - window_us:
        return None  # late: raises nothing, and is in no window
    inside = sorted(
        (each for each in seen if each.event_time_us >= newest - window_us),
        key=lambda each: each.event_time_us,
    )
    capacity = parameters.get("capacity") or default_capacity(parameters)
    kept = inside[-capacity:]
    saturated = len(inside) > capacity
    observed = {"count": len(kept), "window_s": _seconds(window_us)}
    reason = None
    if parameters.get("max_count") is not None and len(kept) > parameters["max_count"]:
        reason = "count_exceeded"
    if parameters.get("max_amount") is not None:
        total = _sum(parameters, kept)
        observed["sum"] = format_money(total, stream.amount_scale)
        if total > money(parameters["max_amount"], stream):
            reason = reason or "amount_exceeded"
    if parameters.get("distinct"):
        values = {each.attributes.get(parameters["distinct"]["attribute"]) for each in kept}
        observed["distinct"] = len(values - {None})
        if observed["distinct"] > parameters["distinct"]["max"]:
            reason = reason or "distinct_exceeded"
    if saturated and (parameters.get("max_amount") is not None or parameters.get("distinct")):
        reason = reason or "window_saturated"
    return Finding(reason, observed, at_least=saturated) if reason else None


def _sum(parameters, events):
    amounts = (each.amount for each in events if each.amount is not None)
    if parameters.get("refunds") == "include":
        return sum(amounts)
    return sum(amount for amount in amounts if amount > 0)


def _seconds(micros):
    seconds, rest = divmod(micros, 1_000_000)
    return seconds if rest == 0 else micros / 1_000_000


def limit(parameters, stream):
    """The `limit` object of the alert."""
    limits = {}
    if parameters.get("max_count") is not None:
        limits["max_count"] = parameters["max_count"]
    if parameters.get("max_amount") is not None:
        limits["max_amount"] = format_money(
            money(parameters["max_amount"], stream), stream.amount_scale
        )
    if parameters.get("distinct"):
        limits["distinct"] = {"max": parameters["distinct"]["max"]}
    return limits
