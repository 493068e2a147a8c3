#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scorer {

/// What a score is.
enum class Output {
  kProbability,  ///< what the library that trained the model predicts
  kMargin,       ///< the sum before the logistic function
};

/// A trained model. Not thread-safe: it has scratch memory. Owns all it needs.
class Model {
 public:
  static constexpr size_t kMaxBytes = size_t{256} << 20;

  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  /// Reads XGBoost's JSON, or the JSON of a logistic regression ("type": "logistic"). Throws
  /// ModelError with a sentence for everything that would not be evaluated exactly.
  static std::unique_ptr<Model> Parse(std::string_view json);

  /// How many values make a row; 1 to Forest::kMaxFeatures.
  virtual size_t inputs() const = 0;
  /// Names of the inputs in their order; empty when the model has none.
  virtual const std::vector<std::string>& names() const = 0;
  /// The score is a probability unless the margin is asked for.
  virtual bool is_classifier() const = 0;
  /// A threshold in the precision of the scores: of two equal numbers none is above the other.
  virtual double Rounded(double threshold) const = 0;

  /// scores[i] of the row at rows + i * inputs(), where NaN is a missing value. A score is finite,
  /// or NaN when the model cannot do without a value that is missing.
  virtual void Score(const double* rows, size_t count, Output output, double* scores) noexcept = 0;
};

}  // namespace scorer
