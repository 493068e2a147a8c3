#include "model.h"

#include "json_reader.h"
#include "logistic_model.h"
#include "xgboost_model.h"

namespace scorer {
namespace {

constexpr std::string_view kGzip = "\x1F\x8B";

void CheckFormat(std::string_view text) {
  if (text.empty()) throw ModelError("the file is empty");
  if (text.size() > Model::kMaxBytes) throw ModelError("the file is larger than 256 MiB");
  if (text.substr(0, kGzip.size()) == kGzip) {
    throw ModelError("the file is compressed; unpack it (gunzip)");
  }
  if (text.size() > 1 && text[0] == '{' && (text[1] == 'L' || text[1] == 'i')) {
    throw ModelError(
        "this is XGBoost's binary format; save the model as JSON: "
        "booster.save_model(\"model.json\")");
  }
}

/// The member `type`; empty without.
std::string TypeOf(std::string_view json) {
  JsonReader reader(json);
  std::string type;
  reader.ReadObject([&](std::string_view name) {
    if (name == "type") {
      type = reader.ReadText();
    } else {
      reader.Skip();
    }
  });
  return type;
}

}  // namespace

std::unique_ptr<Model> Model::Parse(std::string_view json) {
  CheckFormat(json);
  const std::string type = TypeOf(json);
  if (type.empty()) return XgboostModel::Parse(json);
  if (type == "logistic") return LogisticModel::Parse(json);
  throw ModelError("the type '" + type +
                   "' is unknown; there are 'logistic', and models of XGBoost, which have none");
}

}  // namespace scorer
