"""Rows for the payment tables, as SQL."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def hours_ago(hours):
    """Microseconds since 1970 of a whole second in the past: event times of a test start there."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return (now - timedelta(hours=hours) - _EPOCH) // timedelta(microseconds=1)


def timestamp(micros):
    """Microseconds since 1970 as a TIMESTAMP literal."""
    return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f")


def _literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, (int, Decimal)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def insert(table, rows):
    """One INSERT of rows given as dicts with the same columns."""
    columns = list(rows[0])
    values = ",\n".join(
        "(" + ", ".join(_literal(row[column]) for column in columns) + ")" for row in rows
    )
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES\n{values};"


def transaction(row_id, account, micros, amount, **other):
    """A row of `transactions`; micros: event time, or None for SQL NULL."""
    row = {
        "id": row_id,
        "user_id": account,
        "amount": amount,
        "card_type": "VISA",
        "merchant_id": 7,
        "created_at": None if micros is None else timestamp(micros),
    }
    return {**row, **other}


def golden_rows(payments, first_id, account_offset, start_us):
    """Rows of golden_decisions.PAYMENTS, and the (ruleset, transaction id) that must alert."""
    rows, alerts = [], set()
    for row_id, payment in enumerate(payments, first_id):
        account = payment.account + account_offset
        rows.append(transaction(row_id, account, start_us + payment.micros, payment.amount))
        alerts |= {(ruleset, str(row_id)) for ruleset in payment.alerts}
    return rows, alerts


CITIES = {
    # country, latitude, longitude
    "Paris": ("FR", Decimal("48.856600"), Decimal("2.352200")),
    "Lyon": ("FR", Decimal("45.764000"), Decimal("4.835700")),
    "Berlin": ("DE", Decimal("52.520000"), Decimal("13.405000")),
    "Madrid": ("ES", Decimal("40.416800"), Decimal("-3.703800")),
    "Tokyo": ("JP", Decimal("35.676200"), Decimal("139.650300")),
    "Suva": ("FJ", Decimal("-18.124800"), Decimal("178.450100")),
    "Tehran": ("IR", Decimal("35.689200"), Decimal("51.389000")),
}


def random_card_payments(rng, count, first_id, accounts, start_us, span_us):
    """Rows of `card_transactions` in the order of their event times but for one in twenty.

    Accounts are used unevenly and travel seldom, so that every rule sees both sides of its limit.
    """
    cities = list(CITIES)
    home = {account: rng.choice(cities[:4]) for account in accounts}
    rows = []
    for i in range(count):
        account = accounts[min(int(rng.expovariate(4 / len(accounts))), len(accounts) - 1)]
        city = rng.choice(cities) if rng.random() < 0.08 else home[account]
        country, latitude, longitude = CITIES[city]
        micros = start_us + span_us * i // count
        if rng.random() < 0.05:
            micros -= rng.randrange(1, span_us // 4)
        located = rng.random() < 0.9
        rows.append(
            {
                "id": first_id + i,
                "user_id": account,
                "amount": _amount(rng),
                "card_type": rng.choice(["CREDIT", "DEBIT", "PREPAID", None]),
                "merchant_id": rng.randrange(1, 40),
                "created_at": timestamp(micros),
                "country": country if located else None,
                "latitude": latitude if located else None,
                "longitude": longitude if located else None,
                "device": f"device-{rng.randrange(6)}",
                "currency": rng.choice(["EUR", "EUR", "EUR", "USD"]),
            }
        )
    return rows


def _amount(rng):
    kind = rng.random()
    if kind < 0.03:
        return Decimal(-rng.randrange(1, 50_000)) / 100
    if kind < 0.05:
        return Decimal(rng.randrange(0, 100)) / 100
    if kind < 0.10:
        return Decimal(rng.randrange(5, 20) * 100)
    return Decimal(rng.randrange(100, 20_000)) / 100
