#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace scorer {

/// A logistic regression: 1 / (1 + e^-(intercept + sum of coefficient * (value - mean) / scale)),
/// in 64-bit floats, in the order of the coefficients.
///
///     {"type": "logistic", "intercept": -4.1, "coefficients": {"amount": 1.2, "burst.count": 1.8},
///      "mean": {"amount": 68.3}, "scale": {"amount": 111.0}, "missing": {"burst.count": 1}}
///
/// `mean` (else 0), `scale` (else 1) and `missing` (what stands for a missing value) are optional,
/// as a whole and for every coefficient. Without the latter a row with a missing value has no
/// score.
class LogisticModel final : public Model {
 public:
  /// Throws ModelError.
  static std::unique_ptr<LogisticModel> Parse(std::string_view json);

  size_t inputs() const override { return names_.size(); }
  const std::vector<std::string>& names() const override { return names_; }
  bool is_classifier() const override { return true; }
  double Rounded(double threshold) const override { return threshold; }
  void Score(const double* rows, size_t count, Output output, double* scores) noexcept override;

 private:
  struct Term {
    double coefficient;
    double mean;
    double scale;
    double missing;  // NaN = nothing stands for it
  };

  LogisticModel(double intercept, std::vector<std::string> names, std::vector<Term> terms);

  const double intercept_;
  const std::vector<std::string> names_;
  const std::vector<Term> terms_;
};

}  // namespace scorer
