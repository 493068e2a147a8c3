#include "logistic_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "exponential.h"
#include "forest.h"
#include "json_reader.h"

namespace scorer {
namespace {

// Within these, no sum is infinite.
constexpr double kMaxNumber = 1e60;
constexpr double kMinScale = 1e-60;

struct Document {
  std::optional<double> intercept;
  std::vector<std::string> names;  // in the order of the coefficients
  std::map<std::string, double, std::less<>> coefficients, mean, scale, missing;
};

double ReadBounded(JsonReader& reader) {
  const double value = reader.ReadDouble();
  if (std::abs(value) > kMaxNumber) reader.Refuse("the number is larger than 1e60");
  return value;
}

void ReadNamed(JsonReader& reader, std::map<std::string, double, std::less<>>& values,
               std::vector<std::string>* names) {
  reader.ReadObject([&](std::string_view name) {
    if (values.size() == Forest::kMaxFeatures) {
      reader.Refuse("there are more than " + std::to_string(Forest::kMaxFeatures) + " names");
    }
    if (!values.emplace(name, ReadBounded(reader)).second) {
      reader.Refuse("'" + std::string(name) + "' is there twice");
    }
    if (names != nullptr) names->emplace_back(name);
  });
}

Document ReadDocument(std::string_view json) {
  JsonReader reader(json);
  Document document;
  reader.ReadObject([&](std::string_view name) {
    if (name == "intercept") {
      document.intercept = ReadBounded(reader);
    } else if (name == "coefficients") {
      ReadNamed(reader, document.coefficients, &document.names);
    } else if (name == "mean") {
      ReadNamed(reader, document.mean, nullptr);
    } else if (name == "scale") {
      ReadNamed(reader, document.scale, nullptr);
    } else if (name == "missing") {
      ReadNamed(reader, document.missing, nullptr);
    } else if (name == "type") {
      reader.ReadText();
    } else {
      reader.Refuse("'" + std::string(name) +
                    "' is unknown; a logistic model has type, intercept, coefficients, mean, "
                    "scale, missing");
    }
  });
  reader.ReadEnd();
  return document;
}

void CheckKnown(const Document& document, const std::map<std::string, double, std::less<>>& values,
                const char* member) {
  for (const auto& [name, value] : values) {
    if (document.coefficients.count(name) == 0) {
      throw ModelError(std::string(member) + " names '" + name + "', which has no coefficient");
    }
  }
}

}  // namespace

LogisticModel::LogisticModel(double intercept, std::vector<std::string> names,
                             std::vector<Term> terms)
    : intercept_(intercept), names_(std::move(names)), terms_(std::move(terms)) {}

std::unique_ptr<LogisticModel> LogisticModel::Parse(std::string_view json) {
  Document document = ReadDocument(json);
  if (!document.intercept.has_value()) throw ModelError("there is no intercept");
  if (document.names.empty()) throw ModelError("there are no coefficients");
  CheckKnown(document, document.mean, "mean");
  CheckKnown(document, document.scale, "scale");
  CheckKnown(document, document.missing, "missing");
  const auto find = [](const auto& values, const std::string& name, double otherwise) {
    const auto it = values.find(name);
    return it == values.end() ? otherwise : it->second;
  };
  std::vector<Term> terms;
  for (const std::string& name : document.names) {
    const double scale = find(document.scale, name, 1);
    if (scale < kMinScale) throw ModelError("the scale of '" + name + "' is below 1e-60");
    terms.push_back({document.coefficients[name], find(document.mean, name, 0), scale,
                     find(document.missing, name, std::numeric_limits<double>::quiet_NaN())});
  }
  return std::unique_ptr<LogisticModel>(
      new LogisticModel(*document.intercept, std::move(document.names), std::move(terms)));
}

void LogisticModel::Score(const double* rows, size_t count, Output output,
                          double* scores) noexcept {
  for (size_t row = 0; row < count; ++row, rows += terms_.size()) {
    double sum = intercept_;
    for (size_t i = 0; i < terms_.size(); ++i) {
      const Term& term = terms_[i];
      const double value = std::isnan(rows[i]) ? term.missing : rows[i];
      const double bounded = std::clamp(value, -kMaxNumber, kMaxNumber);
      sum += term.coefficient * ((bounded - term.mean) / term.scale);
    }
    const bool has_margin = output == Output::kMargin || std::isnan(sum);
    scores[row] = has_margin ? sum : Logistic(sum);
  }
}

}  // namespace scorer
