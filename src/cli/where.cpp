#include "cli/where.h"

#include <charconv>
#include <compare>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/where_program.h"

namespace barnabas::cli {

namespace {

using Json = nlohmann::json;
using Op = WhereNode::Op;

// A value while an expression is computed. Texts are views of the record or of its parsed JSON.
struct Term {
  enum class Kind { kNull, kBool, kInt, kDouble, kText, kBytes, kTree };
  Kind kind = Kind::kNull;
  bool truth = false;
  int64_t whole = 0;
  double real = 0;
  std::string_view text;

  static Term of(int64_t number) { return {.kind = Kind::kInt, .whole = number}; }
  static Term of(double number) { return {.kind = Kind::kDouble, .real = number}; }
  static Term of(bool truth) { return {.kind = Kind::kBool, .truth = truth}; }
  static Term of_text(std::string_view text) { return {.kind = Kind::kText, .text = text}; }
  static Term of_bytes(const std::optional<std::string_view>& bytes) {
    return bytes ? Term{.kind = Kind::kBytes, .text = *bytes} : Term{};
  }
  bool is_number() const { return kind == Kind::kInt || kind == Kind::kDouble; }
  bool is_text() const { return kind == Kind::kText || kind == Kind::kBytes; }
  bool holds() const { return kind != Kind::kNull && !(kind == Kind::kBool && !truth); }
};

// The number that bytes spell, or null.
Term spelt(std::string_view text) {
  const char* end = text.data() + text.size();
  int64_t whole = 0;
  auto [stopped, failed] = std::from_chars(text.data(), end, whole);
  if (failed == std::errc{} && stopped == end && !text.empty()) return Term::of(whole);
  double real = 0;
  auto [real_stopped, real_failed] = std::from_chars(text.data(), end, real);
  if (real_failed == std::errc{} && real_stopped == end && !text.empty()) return Term::of(real);
  return {};
}

std::partial_ordering order(Term left, Term right) {
  using Kind = Term::Kind;
  if (left.is_number() && right.kind == Kind::kBytes) right = spelt(right.text);
  if (right.is_number() && left.kind == Kind::kBytes) left = spelt(left.text);
  if (left.is_number() && right.is_number()) {
    if (left.kind == Kind::kInt && right.kind == Kind::kInt) return left.whole <=> right.whole;
    double a = left.kind == Kind::kInt ? static_cast<double>(left.whole) : left.real;
    double b = right.kind == Kind::kInt ? static_cast<double>(right.whole) : right.real;
    return a <=> b;
  }
  if (left.is_text() && right.is_text()) return left.text <=> right.text;
  if (left.kind != right.kind || left.kind == Kind::kTree) return std::partial_ordering::unordered;
  if (left.kind == Kind::kBool) {
    return left.truth == right.truth ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
  }
  return std::partial_ordering::equivalent;  // null and null
}

// One record against the program. Key and value are parsed as JSON at most once, and only when asked for.
class Evaluation {
 public:
  Evaluation(const Where::Program& program, const client::ConsumerRecord& record)
      : program_(program), record_(record) {}

  Term compute(size_t at) {
    const WhereNode& node = program_.nodes[at];
    switch (node.op) {
      case Op::kLiteral:
        return literal(node.literal);
      case Op::kField:
        return field(node);
      case Op::kNot:
        return Term::of(!compute(node.left).holds());
      case Op::kAnd:
        return Term::of(compute(node.left).holds() && compute(node.right).holds());
      case Op::kOr:
        return Term::of(compute(node.left).holds() || compute(node.right).holds());
      case Op::kMatch:
        return Term::of(found(node));
      case Op::kNoMatch:
        return Term::of(!found(node));
      default:
        break;
    }
    auto ordering = order(compute(node.left), compute(node.right));
    switch (node.op) {
      case Op::kEqual:
        return Term::of(ordering == 0);
      case Op::kUnequal:
        return Term::of(ordering != 0);
      case Op::kLess:
        return Term::of(ordering < 0);
      case Op::kAtMost:
        return Term::of(ordering <= 0);
      case Op::kMore:
        return Term::of(ordering > 0);
      default:
        return Term::of(ordering >= 0);
    }
  }

 private:
  static Term literal(const WhereNode::Literal& value) {
    if (const auto* truth = std::get_if<bool>(&value)) return Term::of(*truth);
    if (const auto* whole = std::get_if<int64_t>(&value)) return Term::of(*whole);
    if (const auto* real = std::get_if<double>(&value)) return Term::of(*real);
    if (const auto* text = std::get_if<std::string>(&value)) return Term::of_text(*text);
    return {};
  }

  Term field(const WhereNode& node) {
    switch (node.field) {
      case WhereField::kTopic:
        return Term::of_text(record_.topic);
      case WhereField::kPartition:
        return Term::of(int64_t{record_.partition});
      case WhereField::kOffset:
        return Term::of(record_.offset);
      case WhereField::kTimestamp:
        return Term::of(int64_t{record_.timestamp});
      case WhereField::kKey:
        return node.path.empty() ? Term::of_bytes(record_.key) : inside(key_, record_.key, node.path);
      case WhereField::kValue:
        return node.path.empty() ? Term::of_bytes(record_.value) : inside(value_, record_.value, node.path);
      case WhereField::kHeader: {
        auto header = record_.headers.last(node.header);
        return header ? Term::of_bytes(header->value) : Term{};
      }
    }
    return {};
  }

  static Term inside(std::optional<Json>& parsed, const std::optional<std::string_view>& bytes,
                     const std::vector<WhereStep>& path) {
    if (!bytes) return {};
    if (!parsed) parsed = Json::parse(*bytes, nullptr, false);
    const Json* at = &*parsed;
    for (const WhereStep& step : path) {
      if (const auto* name = std::get_if<std::string>(&step)) {
        if (!at->is_object()) return {};
        auto member = at->find(*name);
        if (member == at->end()) return {};
        at = &*member;
      } else {
        size_t index = std::get<size_t>(step);
        if (!at->is_array() || index >= at->size()) return {};
        at = &(*at)[index];
      }
    }
    if (at->is_boolean()) return Term::of(at->get<bool>());
    if (at->is_number_unsigned() && at->get<uint64_t>() > uint64_t{INT64_MAX}) return Term::of(at->get<double>());
    if (at->is_number_integer()) return Term::of(at->get<int64_t>());
    if (at->is_number()) return Term::of(at->get<double>());
    if (at->is_string()) return Term::of_text(at->get_ref<const std::string&>());
    if (at->is_structured()) return {.kind = Term::Kind::kTree};
    return {};
  }

  bool found(const WhereNode& node) {
    Term term = compute(node.left);
    if (term.is_text()) return re2::RE2::PartialMatch(re2::StringPiece(term.text), *node.pattern);
    if (term.kind == Term::Kind::kNull || term.kind == Term::Kind::kTree) return false;
    std::string text = term.kind == Term::Kind::kBool  ? (term.truth ? "true" : "false")
                       : term.kind == Term::Kind::kInt ? std::to_string(term.whole)
                                                       : Json(term.real).dump();
    return re2::RE2::PartialMatch(text, *node.pattern);
  }

  const Where::Program& program_;
  const client::ConsumerRecord& record_;
  std::optional<Json> key_, value_;
};

}  // namespace

bool Where::matches(const client::ConsumerRecord& record) const {
  return Evaluation(*program_, record).compute(program_->nodes.size() - 1).holds();
}

}  // namespace barnabas::cli
