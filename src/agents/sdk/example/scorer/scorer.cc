#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <caracal/agent.hpp>

#include "model.h"
#include "model_inputs.h"

namespace scorer {
namespace {

/// Scores every event with a model, and raises when the score reaches a threshold. Between the
/// engine and a Model: turns events into rows, rows into scores, scores into verdicts.
///
/// One per rule and worker, with a model of its own. Stateless; cannot fail once it is made.
class Scorer {
 public:
  static constexpr const char* kName = "scorer";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription =
      "Scores transactions with a model: gradient-boosted trees (XGBoost's JSON) or a logistic "
      "regression.";
  static constexpr const char* kSchema = R"({
    "type": "object",
    "required": ["model", "threshold"],
    "properties": {
      "model": {"type": "string", "format": "file",
        "description": "the model: XGBoost's JSON, or the JSON of a logistic regression"},
      "inputs": {"type": "array", "items": {"type": "string"},
        "description": "what the model's features are, in their order; else their names say it"},
      "threshold": {"type": "number",
        "description": "the rule fires on this score and higher ones"},
      "output": {"type": "string", "enum": ["probability", "margin"], "default": "probability",
        "description": "margin: the sum before the logistic function"}
    }})";
  static constexpr caracal::Reason kReasons[] = {
      {"score_reached", "the model's score is at or above the threshold"}};
  static constexpr caracal::Observed kObserved[] = {{"score", CARACAL_REAL, 0}};
  static constexpr const char* kLimits[] = {"threshold"};

  explicit Scorer(const caracal::Rule& rule)
      : model_(ParseModel(rule)),
        inputs_(rule, InputNames(rule, *model_)),
        output_(rule.Text("output") == "margin" ? Output::kMargin : Output::kProbability),
        threshold_(model_->Rounded(rule.Real("threshold"))),
        unscored_(rule.Counter("unscored")),
        rows_(kRows * inputs_.size()) {
    if (output_ == Output::kProbability && model_->is_classifier() &&
        (threshold_ < 0 || threshold_ > 1)) {
      throw std::invalid_argument(
          "threshold: a probability lies between 0 and 1; correct it, or use 'output: margin'");
    }
  }

  void JudgeBatch(const caracal::Batch& batch) noexcept {
    for (size_t first = 0; first < batch.size(); first += kRows) {
      const size_t count = std::min(kRows, batch.size() - first);
      double* row = rows_.data();
      for (size_t i = 0; i < count; ++i, row += inputs_.size()) {
        inputs_.Read(batch.event(first + i), row);
      }
      double scores[kRows];
      model_->Score(rows_.data(), count, output_, scores);
      for (size_t i = 0; i < count; ++i) Say(scores[i], batch.verdict(first + i));
    }
  }

 private:
  static constexpr size_t kRows = 32;

  static std::unique_ptr<Model> ParseModel(const caracal::Rule& rule) {
    const std::string_view json = rule.File("model");
    try {
      return Model::Parse(json);
    } catch (const std::exception& error) {
      throw std::invalid_argument("model: " + std::string(error.what()));
    }
  }

  static std::vector<std::string> InputNames(const caracal::Rule& rule, const Model& model) {
    std::vector<std::string> names = rule.Has("inputs") ? rule.Texts("inputs") : model.names();
    if (names.size() == model.inputs()) return names;
    const std::string needed = std::to_string(model.inputs());
    if (names.empty()) {
      throw std::invalid_argument("inputs: the model does not name its features; list all " +
                                  needed + " in their order");
    }
    throw std::invalid_argument("inputs: there are " + std::to_string(names.size()) +
                                ", but the model has " + needed + " features");
  }

  void Say(double score, caracal::Verdict verdict) const noexcept {
    if (std::isnan(score)) {
      verdict.MarkInactive();
      unscored_.Add();
      return;
    }
    verdict.ObserveReal(0, score);
    if (score >= threshold_) verdict.Raise(0);
  }

  const std::unique_ptr<Model> model_;
  const ModelInputs inputs_;
  const Output output_;
  const double threshold_;
  const caracal::Counter unscored_;
  std::vector<double> rows_;
};

}  // namespace
}  // namespace scorer

CARACAL_AGENT(scorer::Scorer)
