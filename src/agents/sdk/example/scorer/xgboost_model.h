#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forest.h"
#include "model.h"

namespace scorer {

/// Gradient-boosted trees as `booster.save_model("model.json")` of XGBoost 1, 2 and 3 writes them:
/// booster gbtree, numerical splits, objectives binary:logistic, reg:logistic, reg:squarederror.
/// All trees are used, as Booster.predict does, also when training stopped early.
class XgboostModel final : public Model {
 public:
  /// Throws ModelError.
  static std::unique_ptr<XgboostModel> Parse(std::string_view json);

  size_t inputs() const override { return forest_.features(); }
  const std::vector<std::string>& names() const override { return names_; }
  bool is_classifier() const override { return is_logistic_; }
  double Rounded(double threshold) const override { return static_cast<float>(threshold); }
  void Score(const double* rows, size_t count, Output output, double* scores) noexcept override;

  const Forest& forest() const { return forest_; }

 private:
  XgboostModel(Forest forest, bool is_logistic, std::vector<std::string> names);

  Forest forest_;
  const bool is_logistic_;
  const std::vector<std::string> names_;
};

}  // namespace scorer
