#include "xgboost_model.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "exponential.h"
#include "json_reader.h"

namespace scorer {
namespace {

constexpr size_t kScoreRows = 64;
constexpr size_t kMaxNames = 10'000;

/// The document as it stands, members in whatever order.
struct Document {
  std::optional<int64_t> version;
  std::string objective;
  std::string booster;
  std::string base_score;
  std::optional<int64_t> features;
  std::optional<int64_t> tree_count;
  int64_t classes = 0;
  int64_t targets = 1;
  bool has_groups = false;
  std::vector<std::string> names;
  std::vector<Tree> trees;
};

/// An integer, which XGBoost writes as a string.
int64_t ReadIntegerText(JsonReader& reader) {
  if (reader.Peek() != '"') return reader.ReadInteger();
  const std::string text = reader.ReadText();
  const char* end = text.data() + text.size();
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) reader.Refuse("there should be an integer");
  return value;
}

/// Reads an array of at most kMaxTreeNodes numbers.
template <typename T, typename Read>
void ReadNodes(JsonReader& reader, std::vector<T>& values, Read read) {
  values.clear();
  reader.ReadArray([&] {
    if (values.size() == Forest::kMaxTreeNodes) {
      reader.Refuse("a tree has more than " + std::to_string(Forest::kMaxTreeNodes) + " nodes");
    }
    values.push_back(read());
  });
}

class DocumentReader {
 public:
  explicit DocumentReader(std::string_view json) : reader_(json) {}

  Document Read() {
    reader_.ReadObject([this](std::string_view name) {
      if (name == "learner") {
        reader_.ReadObject([this](std::string_view member) { ReadLearner(member); });
      } else if (name == "version") {
        ReadVersion();
      } else {
        reader_.Skip();
      }
    });
    reader_.ReadEnd();
    return std::move(document_);
  }

 private:
  void ReadVersion() {
    reader_.ReadArray([this] {
      const int64_t number = reader_.ReadInteger();
      if (!document_.version.has_value()) document_.version = number;
    });
  }

  void ReadLearner(std::string_view name) {
    if (name == "gradient_booster") {
      reader_.ReadObject([this](std::string_view member) { ReadBooster(member); });
    } else if (name == "learner_model_param") {
      reader_.ReadObject([this](std::string_view member) { ReadParameter(member); });
    } else if (name == "objective") {
      reader_.ReadObject([this](std::string_view member) {
        if (member == "name") {
          document_.objective = reader_.ReadText();
        } else {
          reader_.Skip();
        }
      });
    } else if (name == "feature_names") {
      reader_.ReadArray([this] {
        if (document_.names.size() == kMaxNames) reader_.Refuse("too many feature_names");
        document_.names.push_back(reader_.ReadText());
      });
    } else {
      reader_.Skip();
    }
  }

  void ReadParameter(std::string_view name) {
    if (name == "base_score") {
      document_.base_score = reader_.ReadText();
    } else if (name == "num_feature") {
      document_.features = ReadIntegerText(reader_);
    } else if (name == "num_class") {
      document_.classes = ReadIntegerText(reader_);
    } else if (name == "num_target") {
      document_.targets = ReadIntegerText(reader_);
    } else {
      reader_.Skip();
    }
  }

  void ReadBooster(std::string_view name) {
    if (name == "name") {
      document_.booster = reader_.ReadText();
    } else if (name == "model") {
      reader_.ReadObject([this](std::string_view member) { ReadModel(member); });
    } else {
      reader_.Skip();
    }
  }

  void ReadModel(std::string_view name) {
    if (name == "trees") {
      reader_.ReadArray([this] { ReadTree(); });
    } else if (name == "tree_info") {
      reader_.ReadArray([this] { document_.has_groups |= reader_.ReadInteger() != 0; });
    } else if (name == "gbtree_model_param") {
      reader_.ReadObject([this](std::string_view member) {
        if (member == "num_trees") {
          document_.tree_count = ReadIntegerText(reader_);
        } else {
          reader_.Skip();
        }
      });
    } else {
      reader_.Skip();
    }
  }

  void ReadTree() {
    if (document_.trees.size() == Forest::kMaxTrees) {
      reader_.Refuse("the model has more than " + std::to_string(Forest::kMaxTrees) + " trees");
    }
    Tree tree;
    reader_.ReadObject([&](std::string_view name) { ReadTreeMember(name, tree); });
    const size_t nodes = tree.left.size();
    const auto check = [this, nodes](const char* name, size_t size) {
      if (size == nodes && nodes > 0) return;
      reader_.Refuse("tree " + std::to_string(document_.trees.size()) + " has " +
                     std::to_string(nodes) + " left_children, but " + std::to_string(size) + " " +
                     name + "; there should be one for every node");
    };
    check("right_children", tree.right.size());
    check("split_indices", tree.feature.size());
    check("split_conditions", tree.threshold.size());
    check("default_left", tree.default_left.size());
    nodes_ += nodes;
    if (nodes_ > Forest::kMaxNodes) {
      reader_.Refuse("the trees have more than " + std::to_string(Forest::kMaxNodes) + " nodes");
    }
    document_.trees.push_back(std::move(tree));
  }

  void ReadTreeMember(std::string_view name, Tree& tree) {
    const auto integer = [this] { return reader_.ReadInteger(); };
    if (name == "left_children") {
      ReadNodes(reader_, tree.left, integer);
    } else if (name == "right_children") {
      ReadNodes(reader_, tree.right, integer);
    } else if (name == "split_indices") {
      ReadNodes(reader_, tree.feature, integer);
    } else if (name == "split_conditions") {
      ReadNodes(reader_, tree.threshold, [this] { return reader_.ReadFloat(); });
    } else if (name == "default_left") {
      ReadNodes(reader_, tree.default_left, [this] { return reader_.ReadFlag(); });
    } else if (name == "split_type") {
      reader_.ReadArray([this] {
        if (reader_.ReadInteger() != 0) RefuseCategories();
      });
    } else if (name == "categories") {
      reader_.ReadArray([this] { RefuseCategories(); });
    } else if (name == "tree_param") {
      reader_.ReadObject([&](std::string_view member) {
        if (member != "size_leaf_vector") return reader_.Skip();
        if (ReadIntegerText(reader_) > 1) {
          reader_.Refuse("trees with several outputs are not evaluated; train one model each");
        }
      });
    } else {
      reader_.Skip();
    }
  }

  [[noreturn]] void RefuseCategories() const {
    reader_.Refuse(
        "categorical splits are not evaluated; train on one column per category (one-hot), and "
        "name them 'attribute=value'");
  }

  JsonReader reader_;
  Document document_;
  size_t nodes_ = 0;
};

[[noreturn]] void Refuse(const std::string& what) { throw ModelError(what); }

void CheckKind(const Document& document) {
  if (!document.version.has_value()) {
    Refuse("there is no 'version': it is no model saved by XGBoost, nor has it a 'type'");
  }
  if (*document.version < 1 || *document.version > 3) {
    Refuse("it was saved by XGBoost " + std::to_string(*document.version) +
           "; models of XGBoost 1, 2 and 3 are read");
  }
  if (document.booster != "gbtree") {
    Refuse("the booster is '" + document.booster + "'; only gbtree is evaluated");
  }
  if (document.objective != "binary:logistic" && document.objective != "reg:logistic" &&
      document.objective != "reg:squarederror") {
    Refuse("the objective is '" + document.objective +
           "'; binary:logistic, reg:logistic and reg:squarederror are evaluated");
  }
  if (document.classes > 1 || document.targets > 1 || document.has_groups) {
    Refuse("the model has several outputs; only models with one are evaluated");
  }
}

void CheckNumbers(const Document& document) {
  if (!document.features.has_value() || *document.features < 1 ||
      *document.features > static_cast<int64_t>(Forest::kMaxFeatures)) {
    Refuse("num_feature should be 1 to " + std::to_string(Forest::kMaxFeatures));
  }
  if (document.trees.empty()) Refuse("the model has no trees");
  const auto trees = static_cast<int64_t>(document.trees.size());
  if (document.tree_count.value_or(trees) != trees) {
    Refuse("num_trees is " + std::to_string(*document.tree_count) + ", but there are " +
           std::to_string(trees) + " trees: the file is damaged");
  }
  if (!document.names.empty() && document.names.size() != static_cast<size_t>(*document.features)) {
    Refuse("there are " + std::to_string(document.names.size()) + " feature_names, but " +
           std::to_string(*document.features) + " features: the file is damaged");
  }
}

/// "5E-1", or "[5E-1]" since 3.1.
float BaseScore(const std::string& text) {
  if (text.empty()) Refuse("there is no base_score");
  JsonReader reader(text);
  std::optional<float> value;
  const auto read = [&] {
    if (value.has_value()) Refuse("there are several base_score; only one output is evaluated");
    value = reader.ReadFloat();
  };
  try {
    if (reader.Peek() == '[') {
      reader.ReadArray(read);
    } else {
      read();
    }
    reader.ReadEnd();
  } catch (const ModelError& error) {
    Refuse("base_score: " + std::string(error.what()));
  }
  if (!value.has_value()) Refuse("there is no base_score");
  return *value;
}

/// XGBoost saves the base score as a prediction; sums start at its margin.
float BaseMargin(const Document& document, bool is_logistic) {
  const float score = BaseScore(document.base_score);
  if (!is_logistic) {
    if (!std::isfinite(score)) Refuse("base_score is " + document.base_score);
    return score;
  }
  if (!(score > 0 && score < 1)) {
    Refuse("base_score is " + document.base_score + "; a probability lies between 0 and 1");
  }
  const float odds = 1.0F / score - 1.0F;
  if (!(odds > 0 && odds <= std::numeric_limits<float>::max())) {
    Refuse("base_score is too near to 0 or 1");
  }
  return static_cast<float>(-Logarithm(odds));
}

}  // namespace

XgboostModel::XgboostModel(Forest forest, bool is_logistic, std::vector<std::string> names)
    : forest_(std::move(forest)), is_logistic_(is_logistic), names_(std::move(names)) {}

std::unique_ptr<XgboostModel> XgboostModel::Parse(std::string_view json) {
  Document document = DocumentReader(json).Read();
  CheckKind(document);
  CheckNumbers(document);
  const bool is_logistic = document.objective != "reg:squarederror";
  Forest forest(static_cast<size_t>(*document.features), BaseMargin(document, is_logistic));
  for (const Tree& tree : document.trees) forest.AddTree(tree);
  return std::unique_ptr<XgboostModel>(
      new XgboostModel(std::move(forest), is_logistic, std::move(document.names)));
}

void XgboostModel::Score(const double* rows, size_t count, Output output, double* scores) noexcept {
  const bool is_probability = is_logistic_ && output == Output::kProbability;
  float sums[kScoreRows];
  while (count > 0) {
    const size_t chunk = std::min(count, kScoreRows);
    forest_.Sum(rows, chunk, sums);
    for (size_t i = 0; i < chunk; ++i) {
      scores[i] = is_probability ? static_cast<float>(Logistic(sums[i])) : sums[i];
    }
    rows += chunk * inputs();
    scores += chunk;
    count -= chunk;
  }
}

}  // namespace scorer
