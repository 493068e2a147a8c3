"""The geo agent: speed between places, changes of country, country lists, distance from home."""

import math
import re
from decimal import Decimal

from oracle.model import ANYTHING, Finding, Near, Undecidable
from oracle.parameters import duration_us, format_duration, fraction

EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG
# Doubles and truncated micro-degrees may disagree by this much at a threshold.
_MARGIN_KM = 0.002
# Near the antipode the formula is ill-conditioned; below, both sides are right to 12 digits.
_ILL_CONDITIONED_KM = 19_000
# From here on the engine lets old locations fade out of the home.
_HOME_COUNT_MAX = 1_000
_COUNTRY = re.compile(r"[A-Z0-9]{2,3}\Z", re.ASCII)


def judge(parameters, stream, history, event):
    """history: every earlier transaction of the key in log order."""
    for name, condition in _CONDITIONS.items():
        if parameters.get(name):
            finding = condition(parameters, history, event)
            if finding:
                finding.observed = {**_fields(parameters), **finding.observed}
                return finding
    return None


def _fields(parameters):
    """Names of all observed fields of the rule, also of the conditions that did not raise."""
    names = []
    if parameters.get("max_speed_kmh"):
        names += ["distance_km", "speed_kmh", "elapsed_s"]
    if parameters.get("country_change"):
        names += ["from_country", "to_country"]
    elif parameters.get("deny") or parameters.get("allow"):
        names += ["country"]
    if parameters.get("far_from_home_km"):
        names += ["home_distance_km"]
    return dict.fromkeys(names, ANYTHING)


def distance_km(a, b):
    """Great-circle distance of two points in micro-degrees, by the haversine formula."""
    latitude_a, latitude_b = (math.radians(point[0] / 1e6) for point in (a, b))
    half_latitude = (latitude_b - latitude_a) / 2
    half_longitude = math.radians((b[1] - a[1]) / 1e6) / 2
    h = math.sin(half_latitude) ** 2
    h += math.cos(latitude_a) * math.cos(latitude_b) * math.sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(h)))


def _exceeds(value, bound, margin, what):
    if value != 0 and abs(value - bound) <= margin:
        raise Undecidable(f"{what} {value} is too close to {bound}")
    return value > bound


def _near(value, tolerance):
    return Near(Decimal(value), Decimal(tolerance))


def _speed(parameters, history, event):
    located = [each for each in history if each.location]
    if not event.location or not located:
        return None
    last = located[-1]
    distance = distance_km(last.location, event.location)
    least = float(fraction(parameters.get("min_distance_km", 10)))
    if not _exceeds(distance, least, _MARGIN_KM, "distance"):
        return None
    elapsed_us = abs(event.event_time_us - last.event_time_us)
    speed = distance / max(elapsed_us, 1) * 3.6e9
    limit_kmh = float(fraction(parameters["max_speed_kmh"]))
    margin = limit_kmh * (1e-9 if distance < _ILL_CONDITIONED_KM else 1e-6)
    if elapsed_us > 0 and not _exceeds(speed, limit_kmh, margin, "speed"):
        return None
    observed = {
        "distance_km": _near(distance, 0.002),
        "speed_kmh": _near(speed, max(0.002, speed * 1e-6)),
        "elapsed_s": _near(elapsed_us / 1e6, 1e-9),
    }
    return Finding("impossible_speed", observed)


def _country(event):
    text = (event.attributes.get("country") or "").upper()
    return text if _COUNTRY.match(text) else None


def _country_change(parameters, history, event):
    window_us = duration_us(parameters["country_change"]["window"])
    newest = max(each.event_time_us for each in history + [event])
    country = _country(event)
    if country is None or event.event_time_us < newest - window_us:
        return None
    others = [
        each
        for each in history
        if each.event_time_us >= newest - window_us and _country(each) not in (None, country)
    ]
    if not others:
        return None
    latest = max(range(len(others)), key=lambda i: (others[i].event_time_us, i))
    observed = {"from_country": _country(others[latest]), "to_country": country}
    return Finding("country_change", observed)


def _denied(parameters, _, event):
    country = _country(event)
    if country in {text.upper() for text in parameters["deny"]}:
        return Finding("country_denied", _named(parameters, country))
    return None


def _not_allowed(parameters, _, event):
    country = _country(event)
    if country is None or country in {text.upper() for text in parameters["allow"]}:
        return None
    return Finding("country_not_allowed", _named(parameters, country))


def _named(parameters, country):
    return {"to_country" if parameters.get("country_change") else "country": country}


def _far_from_home(parameters, history, event):
    distance_limit, min_history = _home_options(parameters)
    places = [each.location for each in history if each.location]
    if not event.location or len(places) < min_history:
        return None
    if len(places) >= _HOME_COUNT_MAX:
        raise Undecidable("a home of so many transactions forgets the oldest")
    first = places[0][1]
    latitude = sum(place[0] for place in places) / len(places)
    offset = sum(_wrap(place[1] - first) for place in places) / len(places)
    distance = distance_km((latitude, _wrap(first + offset)), event.location)
    if not _exceeds(distance, distance_limit, _MARGIN_KM, "distance from home"):
        return None
    return Finding("far_from_home", {"home_distance_km": _near(distance, 0.002)})


def _home_options(parameters):
    options = parameters["far_from_home_km"]
    return float(fraction(options["distance"])), options.get("min_history", 10)


def _wrap(longitude_udeg):
    return (longitude_udeg + 180_000_000) % 360_000_000 - 180_000_000


# In the order in which the agent's reasons take precedence.
_CONDITIONS = {
    "max_speed_kmh": _speed,
    "country_change": _country_change,
    "deny": _denied,
    "allow": _not_allowed,
    "far_from_home_km": _far_from_home,
}


def limit(parameters, stream):
    """The `limit` object of the alert."""
    limits = {}
    if parameters.get("max_speed_kmh"):
        for name in ("max_speed_kmh", "min_distance_km"):
            limits[name] = _near(str(parameters.get(name, 10)), 0)
    if parameters.get("country_change"):
        window_us = duration_us(parameters["country_change"]["window"])
        limits["country_change"] = {"window": format_duration(window_us)}
    for name in ("deny", "allow"):
        if parameters.get(name):
            limits[name] = sorted({text.upper() for text in parameters[name]})
    if parameters.get("far_from_home_km"):
        distance_limit, min_history = _home_options(parameters)
        limits["far_from_home_km"] = {
            "distance": _near(distance_limit, 0),
            "min_history": min_history,
        }
    return limits
