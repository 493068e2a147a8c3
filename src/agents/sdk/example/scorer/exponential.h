#pragma once

namespace scorer {

/// e^x from + and x alone, so that it is the same on every host: a verdict may not depend on the
/// mathematical library. Error below 2 units in the last place for |x| <= 700; beyond, as at the
/// bound. `x` is not NaN. Any thread.
double Exponential(double x);

/// The natural logarithm of a finite `x` > 0, made alike: error below 4 units in the last place.
double Logarithm(double x);

/// 1 / (1 + e^-x).
double Logistic(double x);

}  // namespace scorer
