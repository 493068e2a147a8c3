import unittest

from oracle.geo import distance_km
from oracle.model import Undecidable
from oracle_tests.cases import (
    PLACE_FIELDS,
    START_US,
    alerting_offsets,
    alerts_of,
    envelope,
    outcomes_of,
    row,
    rule,
    ruleset,
)

SECOND = 1_000_000
HOUR = 3_600 * SECOND


def at(*seconds, **columns):
    return [row(i, micros=round(s * SECOND), **columns) for i, s in enumerate(seconds)]


def paying(*amounts, step=HOUR):
    return [row(i, micros=i * step, amount=amount) for i, amount in enumerate(amounts)]


def observed(rows, rules):
    outcomes = outcomes_of([envelope(each) for each in rows], rules)
    return [a["reasons"][0]["observed"] for outcome in outcomes for a in outcome.alerts]


class VelocityTest(unittest.TestCase):
    def count_rule(self, **settings):
        return ruleset(rule("v", "velocity", **{"window": "1m", "max_count": 2, **settings}))

    def test_the_window_is_closed_at_both_ends(self):
        self.assertEqual(alerting_offsets(at(0, 30, 60), self.count_rule()), [2])
        self.assertEqual(alerting_offsets(at(0, 30, 60.000001), self.count_rule()), [])

    def test_the_window_ends_at_the_newest_time_whatever_the_order(self):
        self.assertEqual(alerting_offsets(at(60, 30, 0), self.count_rule()), [2])
        self.assertEqual(alerting_offsets(at(30, 60, 0), self.count_rule()), [2])

    def test_a_late_event_raises_nothing_and_counts_nowhere(self):
        self.assertEqual(alerting_offsets(at(100, 101, 39), self.count_rule()), [])
        self.assertEqual(alerting_offsets(at(100, 40.9, 101), self.count_rule()), [])

    def test_a_burst_that_ended_before_the_newest_time_is_not_searched_for(self):
        self.assertEqual(alerting_offsets(at(200, 0, 1, 2), self.count_rule()), [])

    def test_refunds_count_in_counts(self):
        self.assertEqual(alerting_offsets(at(0, 1, 2, amount="-1"), self.count_rule()), [2])

    def test_accounts_and_key_attributes_are_apart(self):
        rows = at(0, 1, 2)
        rows[2]["user_id"] = 2
        self.assertEqual(alerting_offsets(rows, self.count_rule()), [])
        rows = at(0, 1, 2, 3)
        rows[1]["card_type"] = "AMEX"
        per_card = self.count_rule(key=["account", "card_type"])
        self.assertEqual(alerting_offsets(rows, per_card), [3])

    def test_filtered_transactions_do_not_exist_for_the_rule(self):
        rows = at(0, 1, 200, 2)
        rows[2]["card_type"] = "AMEX"  # would move the newest time
        only_visa = self.count_rule(when={"card_type": ["VISA"]})
        self.assertEqual(alerting_offsets(rows, only_visa), [3])

    def test_sums_leave_refunds_out_unless_included(self):
        rows = at(0, 1, 2)
        for each, amount in zip(rows, ("60", "-30", "40.01")):
            each["amount"] = amount
        limits = {"max_count": None, "max_amount": "100.00"}
        self.assertEqual(alerting_offsets(rows, self.count_rule(**limits)), [2])
        included = self.count_rule(**limits, refunds="include")
        self.assertEqual(alerting_offsets(rows, included), [])
        rows[2]["amount"] = "40.00"
        self.assertEqual(alerting_offsets(rows, self.count_rule(**limits)), [])

    def test_distinct_values_leave_null_out(self):
        rows = at(0, 1, 2, 3)
        for each, merchant in zip(rows, (1, None, 2, 3)):
            each["merchant_id"] = merchant
        distinct = {"max_count": None, "distinct": {"attribute": "merchant", "max": 2}}
        alerts = alerts_of(rows, self.count_rule(**distinct))
        self.assertEqual(alerts, [(3, "test", ["distinct_exceeded"])])

    def test_counts_beyond_capacity_are_lower_bounds(self):
        rules = self.count_rule(capacity=3)
        full = {"count": 3, "window_s": 60}
        self.assertEqual(observed(at(0, 1, 2, 3), rules), [full, {**full, "at_least": True}])

    def test_sums_beyond_capacity_are_never_silent(self):
        limits = {"max_count": None, "max_amount": "1000.00", "capacity": 2}
        alerts = alerts_of(at(0, 1, 2), self.count_rule(**limits))
        self.assertEqual(alerts, [(2, "test", ["window_saturated"])])

    def test_observed_and_limit(self):
        rules = ruleset(rule("v", "velocity", window="90s", max_count=1, max_amount="15"))
        outcomes = outcomes_of([envelope(each) for each in at(0, 1)], rules)
        reason = outcomes[1].alerts[0]["reasons"][0]
        self.assertEqual(reason["reason"], "count_exceeded")
        self.assertEqual(reason["observed"], {"count": 2, "sum": "20.00", "window_s": 90})
        self.assertEqual(reason["limit"], {"max_count": 1, "max_amount": "15.00"})


class AmountTest(unittest.TestCase):
    def test_fixed_limits_are_strict(self):
        rules = ruleset(rule("a", "amount", above="100.00", below="1.00"))
        rows = paying("100.00", "100.01", "1.00", "0.99", "-5")
        above, below = ("test", ["above_limit"]), ("test", ["below_limit"])
        self.assertEqual(alerts_of(rows, rules), [(1, *above), (3, *below), (4, *below)])

    def test_round_amounts(self):
        options = {"multiple_of": "50.00", "min": "100.00"}
        rules = ruleset(rule("a", "amount", round_amount=options))
        rows = paying("50", "100", "149.99", "150", "-100")
        self.assertEqual(alerting_offsets(rows, rules), [1, 3])

    def profile(self, **settings):
        options = {"history": 3, "min_history": 2, "ratio": "2.5", "floor": "20.00"}
        return ruleset(rule("a", "amount", profile=options, **settings))

    def test_profile_is_the_mean_of_the_last_amounts_without_the_current(self):
        self.assertEqual(alerting_offsets(paying("10", "30", "50.00"), self.profile()), [])
        self.assertEqual(alerting_offsets(paying("10", "30", "50.01"), self.profile()), [2])
        # The first amount of four is forgotten: the mean is 10, not 257.50.
        rows = paying("1000", "10", "10", "10", "25.01")
        self.assertEqual(alerting_offsets(rows, self.profile()), [4])

    def test_profile_needs_history_and_the_floor(self):
        self.assertEqual(alerting_offsets(paying("10", "1000"), self.profile()), [])
        self.assertEqual(alerting_offsets(paying("1", "1", "20.00"), self.profile()), [])
        self.assertEqual(alerting_offsets(paying("1", "1", "20.01"), self.profile()), [2])

    def test_refunds_are_in_no_profile_unless_included(self):
        rows = paying("10", "-1000", "10", "25.01")
        self.assertEqual(alerting_offsets(rows, self.profile()), [3])
        rows = paying("-10", "-10", "20.01")
        self.assertEqual(alerting_offsets(rows, self.profile()), [])
        self.assertEqual(alerting_offsets(rows, self.profile(refunds="include")), [2])

    def test_profile_goes_by_log_order(self):
        rows = paying("10", "10", "100")
        rows[2]["created_at"] = START_US - HOUR
        self.assertEqual(alerting_offsets(rows, self.profile()), [2])

    def test_profile_says_what_it_saw(self):
        (seen,) = observed(paying("10", "20", "60"), self.profile())
        self.assertEqual((seen["amount"], seen["mean"], seen["history"]), ("60.00", "15.00", 2))
        self.assertTrue(seen["ratio"].matches("4.000"))

    def zscore(self, **options):
        options = {"half_life": "1h", "min_history": 2, "above": "3", **options}
        return ruleset(rule("a", "amount", zscore=options))

    def test_zscore_weighs_amounts_by_age(self):
        # At 1 h the first amount weighs 1/2: mean (0.5·10 + 1·40)/1.5 = 30, variance
        # (0.5·400 + 1·100)/1.5 = 200, deviation 14.142; 72.42 is just below z = 3, 72.44 above.
        self.assertEqual(alerting_offsets(paying("10", "40", "72.42"), self.zscore()), [])
        (seen,) = observed(paying("10", "40", "72.44"), self.zscore())
        self.assertTrue(seen["mean"].matches("30.00"))
        self.assertTrue(seen["deviation"].matches("14.14"))
        self.assertTrue(seen["z"].matches("3.001"))

    def test_zscore_needs_variance_and_history(self):
        self.assertEqual(alerting_offsets(paying("10", "10", "1000"), self.zscore()), [])
        rows = paying("10", "40", "1000")
        self.assertEqual(alerting_offsets(rows, self.zscore(min_history=3)), [])

    def test_a_long_pause_ends_a_history(self):
        # After 4 h the weight 1.5 is 0.09: the next amount is judged by it, then it is gone.
        rows = paying("10", "40", "5000", "5000")
        for each, hours in zip(rows, (0, 1, 5, 6)):
            each["created_at"] = START_US + hours * HOUR
        self.assertEqual(alerting_offsets(rows, self.zscore()), [2])

    def test_a_zscore_at_its_threshold_is_not_guessed(self):
        rows = paying("10", "20", "20", step=0)  # mean 15, deviation 5, z = 1 exactly
        with self.assertRaises(Undecidable):
            alerting_offsets(rows, self.zscore(above="1"))


PARIS, BERLIN = (48.8566, 2.3522), (52.52, 13.405)
SUVA, APIA = (-18.1248, 178.4501), (-13.8506, -171.7513)


class GeoTest(unittest.TestCase):
    def rules(self, **settings):
        return ruleset(rule("g", "geo", **settings), fields=PLACE_FIELDS)

    def visits(self, *places, step=HOUR):
        return [
            {
                "user_id": 1,
                "created_at": START_US + i * step,
                "country": None,
                "latitude": place and place[0],
                "longitude": place and place[1],
            }
            for i, place in enumerate(places)
        ]

    def stays(self, *countries, step=HOUR):
        rows = self.visits(*[None] * len(countries), step=step)
        for each, country in zip(rows, countries):
            each["country"] = country
        return rows

    def test_distances(self):
        def micro(place):
            return tuple(round(degrees * 1e6) for degrees in place)

        self.assertAlmostEqual(distance_km(micro(PARIS), micro(BERLIN)), 877.5, delta=0.5)
        # Astride the antimeridian, not around the world.
        self.assertAlmostEqual(distance_km(micro(SUVA), micro(APIA)), 1149, delta=2)

    def test_speed_between_consecutive_located_transactions(self):
        rules = self.rules(max_speed_kmh=800, min_distance_km=50)
        self.assertEqual(alerting_offsets(self.visits(PARIS, BERLIN), rules), [1])
        self.assertEqual(alerting_offsets(self.visits(PARIS, None, BERLIN), rules), [])
        backwards = self.visits(PARIS, BERLIN, step=-HOUR)
        self.assertEqual(alerting_offsets(backwards, rules), [1])

    def test_no_time_beyond_the_distance_raises(self):
        at_once = self.visits(PARIS, BERLIN, step=0)
        self.assertEqual(
            alerting_offsets(at_once, self.rules(max_speed_kmh=10**6, min_distance_km=50)), [1]
        )
        self.assertEqual(
            alerting_offsets(at_once, self.rules(max_speed_kmh=10, min_distance_km=900)), []
        )

    def test_country_change_within_the_closed_window(self):
        rules = self.rules(country_change={"window": "2h"})
        self.assertEqual(alerting_offsets(self.stays("FR", "FR", "DE"), rules), [2])
        self.assertEqual(alerting_offsets(self.stays("FR", None, "DE"), rules), [2])
        self.assertEqual(alerting_offsets(self.stays("FR", "", "", "DE"), rules), [])
        self.assertEqual(alerting_offsets(self.stays("FR", "DE", step=-3 * HOUR), rules), [])
        (seen,) = observed(self.stays("fr", "FR", "DE"), rules)
        self.assertEqual(seen, {"from_country": "FR", "to_country": "DE"})

    def test_country_lists(self):
        stays = self.stays("FR", "IR", None)
        denied = alerts_of(stays, self.rules(deny=["IR", "KP"]))
        self.assertEqual(denied, [(1, "test", ["country_denied"])])
        not_allowed = alerts_of(stays, self.rules(allow=["FR"]))
        self.assertEqual(not_allowed, [(1, "test", ["country_not_allowed"])])

    def test_far_from_home(self):
        rules = self.rules(far_from_home_km={"distance": 800, "min_history": 2})
        self.assertEqual(alerting_offsets(self.visits(PARIS, PARIS, BERLIN), rules), [2])
        self.assertEqual(alerting_offsets(self.visits(PARIS, BERLIN), rules), [])
        # The home moves with the payments: after Paris, Paris, Berlin it is 293 km from Paris.
        self.assertEqual(alerting_offsets(self.visits(PARIS, PARIS, BERLIN, BERLIN), rules), [2])


if __name__ == "__main__":
    unittest.main()
