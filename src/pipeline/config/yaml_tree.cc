#include "pipeline/config/yaml_tree.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "agents/api/check.h"
#include "pipeline/base/utf8.h"
#include "pipeline/config/secret_name.h"

namespace caracal::pipeline {
namespace {

/// Thrown through yaml-cpp's parser to end it; never leaves ParseYaml.
struct ParseAborted {};

/// Where a scalar that starts at `column` of `line` ends, for the length of the caret.
int32_t ScalarLength(std::string_view line, size_t column, const std::string& text) {
  if (column >= line.size()) return 1;
  const char quote = line[column];
  size_t end = column;
  if (quote == '"' || quote == '\'') {
    end = line.find(quote, column + 1);
    end = end == std::string_view::npos ? line.size() : end + 1;
  } else {
    end = std::min(line.size(), column + std::max<size_t>(text.size(), 1));
  }
  return static_cast<int32_t>(end - column);
}

/// Builds the tree from yaml-cpp's events, which carry the marks that its own nodes lose for keys,
/// and let limits stop the parser early.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(int32_t source, Diagnostics& diagnostics, const YamlLimits& limits)
      : source_(source), diagnostics_(diagnostics), limits_(limits) {}

  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.span = Span(mark);
    Complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) {
      Abort(DiagnosticCode::kYamlTooLarge, mark, "an alias stands for a value it is part of");
    }
    Charge(it->second.nodes, it->second.bytes, mark);
    YamlNode copy = it->second.node;
    copy.span = Span(mark);
    Attach(std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.quoted = tag != "?";
    node.span = Span(mark);
    node.span.length = ScalarLength(diagnostics_.SourceLine(source_, node.span.line),
                                    static_cast<size_t>(mark.column), value);
    node.text = value;
    Charge(0, value.size(), mark);
    Complete(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  /// A collection whose end has not come yet.
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    size_t nodes_before = 0;
    size_t bytes_before = 0;
    /// Key of a map that waits for its value; `skipped` = the key was refused.
    bool has_key = false;
    bool skipped = false;
    std::string key;
    SourceSpan key_span;
    /// Keys so far and their lines.
    std::map<std::string, int32_t> seen;
  };
  /// A completed value that aliases may repeat, and what a copy of it costs.
  struct Anchored {
    YamlNode node;
    size_t nodes = 0;
    size_t bytes = 0;
  };

  SourceSpan Span(const YAML::Mark& mark) const {
    return {source_, mark.line + 1, mark.column + 1, 1};
  }

  [[noreturn]] void Abort(DiagnosticCode code, const YAML::Mark& mark, std::string message) {
    diagnostics_.Add(code, Span(mark), std::move(message));
    throw ParseAborted();
  }

  void Charge(size_t nodes, size_t bytes, const YAML::Mark& mark) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > limits_.nodes || bytes_ > limits_.scalar_bytes) {
      Abort(DiagnosticCode::kYamlTooLarge, mark,
            fmt::format("the document holds more than {} values or {} bytes of text, aliases "
                        "expanded",
                        limits_.nodes, limits_.scalar_bytes));
    }
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    diagnostics_.Add(DiagnosticCode::kYamlFeature, Span(mark),
                     fmt::format("tag '{}' is not supported", tag));
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    CheckTag(mark, tag);
    if (frames_.size() >= limits_.depth) {
      Abort(DiagnosticCode::kYamlTooLarge, mark,
            fmt::format("values nest more than {} deep", limits_.depth));
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.span = Span(mark);
    frame.anchor = anchor;
    frame.nodes_before = nodes_;
    frame.bytes_before = bytes_;
    Charge(1, 0, mark);
    frames_.push_back(std::move(frame));
  }

  void Close() {
    CHECK(!frames_.empty());
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor != 0) {
      anchors_[frame.anchor] = {frame.node, nodes_ - frame.nodes_before,
                                bytes_ - frame.bytes_before};
    }
    Attach(std::move(frame.node));
  }

  void Complete(YamlNode node, YAML::anchor_t anchor) {
    nodes_ += 1;
    Charge(0, 0, YAML::Mark());
    if (anchor != 0) anchors_[anchor] = {node, 1, node.text.size()};
    Attach(std::move(node));
  }

  void Attach(YamlNode node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == YamlNode::Kind::kSequence) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      TakeKey(frame, node);
    } else {
      // yaml-cpp marks a missing value where the next token begins.
      if (node.kind == YamlNode::Kind::kNull) node.span = frame.key_span;
      // Before anything is bound: a line with a secret may be quoted for any reason.
      if (IsSecretName(frame.key)) diagnostics_.AddSecret(node.text);
      if (!frame.skipped) {
        frame.node.entries.push_back({std::move(frame.key), frame.key_span, std::move(node)});
      }
      frame.has_key = false;
    }
  }

  void TakeKey(Frame& frame, const YamlNode& node) {
    frame.has_key = true;
    frame.skipped = true;
    frame.key = node.text;
    frame.key_span = node.span;
    if (node.kind != YamlNode::Kind::kScalar) {
      diagnostics_.Add(DiagnosticCode::kYamlFeature, node.span,
                       fmt::format("a key must be a text, not {}", KindText(node)));
      return;
    }
    if (node.text == "<<" && !node.quoted) {
      diagnostics_.Add(DiagnosticCode::kYamlFeature, node.span,
                       "merge keys ('<<') are not supported", "write the keys out");
      return;
    }
    const auto [it, is_new] = frame.seen.emplace(node.text, node.span.line);
    if (!is_new) {
      diagnostics_.Add(DiagnosticCode::kDuplicateKey, node.span,
                       fmt::format("key '{}' is given twice", node.text),
                       fmt::format("first given in line {}", it->second));
      return;
    }
    frame.skipped = false;
  }

  const int32_t source_;
  Diagnostics& diagnostics_;
  const YamlLimits limits_;
  YamlNode root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
};

/// The place of byte `offset`.
SourceSpan SpanOfByte(const std::string& text, size_t offset, int32_t source) {
  SourceSpan span = {source, 1, 1, 1};
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++span.line;
      span.column = 1;
    } else {
      ++span.column;
    }
  }
  return span;
}

/// Keeps what may be a secret out of the quoted line of a syntax error.
void MaskLine(const SourceSpan& span, Diagnostics& diagnostics) {
  const std::string_view line = diagnostics.SourceLine(span.source, span.line);
  const size_t colon = line.find(':');
  if (!IsSecretName(line) || colon == std::string_view::npos) return;
  const size_t value = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
  diagnostics.AddSecret(std::string(line.substr(value)));
}

/// Errors of bytes that yaml-cpp would silently replace or drop.
bool CheckBytes(const std::string& text, int32_t source, Diagnostics& diagnostics) {
  size_t bad = ValidUtf8Prefix(text);
  bad = std::min(bad, text.find('\0'));
  if (bad >= text.size()) return true;
  diagnostics.Add(
      DiagnosticCode::kFileNotText, SpanOfByte(text, bad, source),
      fmt::format("byte 0x{:02x} is not UTF-8 text", static_cast<unsigned char>(text[bad])));
  return false;
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

YamlNode* YamlNode::Find(std::string_view key) {
  for (YamlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view KindText(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kSequence:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

std::optional<YamlNode> ParseYaml(const std::string& text, int32_t source, Diagnostics& diagnostics,
                                  const YamlLimits& limits) {
  if (!CheckBytes(text, source, diagnostics)) return std::nullopt;
  TreeBuilder builder(source, diagnostics, limits);
  try {
    std::istringstream input(text);
    YAML::Parser parser(input);
    if (parser.HandleNextDocument(builder)) {
      TreeBuilder rest(source, diagnostics, limits);
      if (parser.HandleNextDocument(rest)) {
        const YamlNode second = rest.TakeRoot();
        diagnostics.Add(DiagnosticCode::kYamlFeature, second.span, "a second document begins here",
                        "one document per file");
        return std::nullopt;
      }
    }
  } catch (const ParseAborted&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    const SourceSpan span = {source, error.mark.line + 1, error.mark.column + 1, 1};
    diagnostics.Add(DiagnosticCode::kYamlSyntax, span,
                    fmt::format("this is not YAML: {}", error.msg));
    MaskLine(span, diagnostics);
    return std::nullopt;
  }
  YamlNode root = builder.TakeRoot();
  if (root.kind == YamlNode::Kind::kNull) {
    root.kind = YamlNode::Kind::kMap;
    root.span = {source, 1, 1, 1};
  }
  return root;
}

}  // namespace caracal::pipeline
