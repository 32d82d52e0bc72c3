#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "cli/offset_choice.h"
#include "cli/where.h"
#include "cli/where_program.h"

namespace barnabas::cli {

namespace {

using Op = WhereNode::Op;
constexpr int kDeepest = 100;        // of parentheses and negations: the parser recurses
constexpr size_t kMostNodes = 1000;  // and so does the evaluation, over chains of && too

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '-';
}

class Parser {
 public:
  Parser(std::string_view text, int64_t now_ms) : text_(text), now_(now_ms) {}

  std::expected<Where::Program, std::string> run() {
    if (auto root = any(0); root && error_.empty()) {
      skip_blanks();
      if (at_ < text_.size()) fail("'&&', '||' or the end");
    }
    if (!error_.empty()) return std::unexpected(error_);
    return std::move(program_);
  }

 private:
  using Index = std::optional<size_t>;  // none: error_ says why

  Index fail(std::string_view wanted) {
    if (error_.empty()) {
      error_ = at_ < text_.size() ? fmt::format("column {}: want {} at '{}'", at_ + 1, wanted, text_.substr(at_, 20))
                                  : fmt::format("want {} at the end", wanted);
    }
    return std::nullopt;
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  Index add(WhereNode node) {
    if (program_.nodes.size() >= kMostNodes) return fail("a shorter expression");
    program_.nodes.push_back(std::move(node));
    return program_.nodes.size() - 1;
  }

  Index any(int depth) {
    auto left = all(depth);
    while (left && take("||")) {
      auto right = all(depth);
      if (!right) return right;
      left = add({.op = Op::kOr, .left = *left, .right = *right});
    }
    return left;
  }

  Index all(int depth) {
    auto left = one(depth);
    while (left && take("&&")) {
      auto right = one(depth);
      if (!right) return right;
      left = add({.op = Op::kAnd, .left = *left, .right = *right});
    }
    return left;
  }

  Index one(int depth) {
    if (depth > kDeepest) return fail("fewer parentheses");
    skip_blanks();
    if (text_.substr(at_).starts_with("!") && !text_.substr(at_).starts_with("!=")) {
      ++at_;
      auto inner = one(depth + 1);
      return inner ? add({.op = Op::kNot, .left = *inner}) : inner;
    }
    if (take("(")) {
      auto inner = any(depth + 1);
      if (inner && !take(")")) return fail("')'");
      return inner;
    }
    return comparison();
  }

  Index comparison() {
    auto left = operand();
    if (!left) return left;
    static constexpr std::pair<std::string_view, Op> kOperators[] = {
        {"==", Op::kEqual},  {"!=", Op::kUnequal}, {"=~", Op::kMatch}, {"!~", Op::kNoMatch},
        {"<=", Op::kAtMost}, {">=", Op::kAtLeast}, {"<", Op::kLess},   {">", Op::kMore}};
    for (auto [token, op] : kOperators) {
      if (!take(token)) continue;
      if (op == Op::kMatch || op == Op::kNoMatch) return pattern(*left, op);
      auto right = operand();
      return right ? add({.op = op, .left = *left, .right = *right}) : right;
    }
    skip_blanks();
    if (text_.substr(at_).starts_with("=")) return fail("'==' or '=~'");
    return left;
  }

  Index pattern(size_t left, Op op) {
    skip_blanks();
    if (at_ >= text_.size() || !std::string_view("\"'/").contains(text_[at_])) {
      return fail("a regular expression in quotes");
    }
    size_t begin = at_;
    auto text = quoted();
    if (!text) return std::nullopt;
    auto compiled = std::make_shared<re2::RE2>(*text, re2::RE2::Quiet);
    if (!compiled->ok()) {
      error_ = fmt::format("column {}: no regular expression: {}", begin + 1, compiled->error());
      return std::nullopt;
    }
    return add({.op = op, .left = left, .pattern = std::move(compiled)});
  }

  // A text in quotes. A backslash escapes a quote, itself, n, r and t; before anything else it stays, for patterns.
  std::optional<std::string> quoted() {
    char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c != '\\' || at_ >= text_.size()) {
        out += c;
        continue;
      }
      char escaped = text_[at_++];
      bool pattern = quote == '/';
      if (escaped == quote || (escaped == '\\' && !pattern)) {
        out += escaped;
      } else if (!pattern && (escaped == 'n' || escaped == 'r' || escaped == 't')) {
        out += escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : '\t';
      } else {
        out.append("\\").append(1, escaped);
      }
    }
    if (at_ >= text_.size()) {
      fail(fmt::format("a closing {}", quote));
      return std::nullopt;
    }
    ++at_;
    return out;
  }

  Index operand() {
    skip_blanks();
    if (at_ >= text_.size()) return fail("a field or a value");
    char c = text_[at_];
    if (c == '"' || c == '\'') {
      auto text = quoted();
      return text ? add({.literal = *std::move(text)}) : Index();
    }
    if (c == '@') return time();
    if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') return number();
    if (is_name(c)) return field();
    return fail("a field or a value");
  }

  Index time() {
    size_t end = text_.find_first_of(" \t\r\n()&|", at_);
    std::string_view word = text_.substr(at_ + 1, end == std::string_view::npos ? end : end - at_ - 1);
    auto ms = parse_time_ms(word, now_);
    if (!ms) return fail("a time, as @2026-11-01T12:00:00Z or @-1h,");
    at_ += 1 + word.size();
    return add({.literal = *ms});
  }

  Index number() {
    std::string_view word = text_.substr(at_);
    if (word.front() == '+') word.remove_prefix(1);
    const char* end = word.data() + word.size();
    int64_t whole = 0;
    auto [stopped, failed] = std::from_chars(word.data(), end, whole);
    bool fraction = stopped != end && (*stopped == '.' || *stopped == 'e' || *stopped == 'E');
    if (failed == std::errc{} && !fraction) return number_ends(stopped, {.literal = whole});
    double real = 0;
    auto [real_stopped, real_failed] = std::from_chars(word.data(), end, real);
    if (real_failed != std::errc{}) return fail("a number");
    return number_ends(real_stopped, {.literal = real});
  }
  Index number_ends(const char* end, WhereNode node) {
    auto stop = static_cast<size_t>(end - text_.data());
    if (stop < text_.size() && is_name(text_[stop])) return fail("a number");
    at_ = stop;
    return add(std::move(node));
  }

  std::string_view name() {
    size_t begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Index field() {
    size_t begin = at_;
    std::string_view word = name();
    if (word == "true" || word == "false") return add({.literal = word == "true"});
    if (word == "null") return add({});
    WhereNode node{.op = Op::kField};
    static constexpr std::pair<std::string_view, WhereField> kFields[] = {
        {"topic", WhereField::kTopic},    {"partition", WhereField::kPartition},
        {"offset", WhereField::kOffset},  {"timestamp", WhereField::kTimestamp},
        {"key", WhereField::kKey},        {"value", WhereField::kValue},
        {"headers", WhereField::kHeader}, {"header", WhereField::kHeader}};
    const auto* found = std::begin(kFields);
    while (found != std::end(kFields) && found->first != word) ++found;
    if (found == std::end(kFields)) {
      at_ = begin;
      return fail("value, key, headers, offset, partition, timestamp, topic or a text in quotes");
    }
    node.field = found->second;
    if (!steps(node.path)) return std::nullopt;
    if (node.field == WhereField::kHeader) {
      if (node.path.size() != 1 || !std::holds_alternative<std::string>(node.path[0])) {
        return fail("the name of a header, as headers.name or headers[\"name\"],");
      }
      node.header = std::get<std::string>(node.path[0]);
      node.path.clear();
    } else if (!node.path.empty() && node.field != WhereField::kKey && node.field != WhereField::kValue) {
      at_ = begin;
      return fail(fmt::format("{} alone: it has no parts", word));
    }
    return add(std::move(node));
  }

  // .name, [3] and ["name"], as many as there are.
  bool steps(std::vector<WhereStep>& path) {
    while (at_ < text_.size()) {
      if (text_[at_] == '.') {
        ++at_;
        std::string_view word = name();
        if (word.empty()) return fail("a name after the dot").has_value();
        path.emplace_back(std::string(word));
      } else if (text_[at_] == '[') {
        ++at_;
        skip_blanks();
        if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
          auto text = quoted();
          if (!text) return false;
          path.emplace_back(*std::move(text));
        } else {
          size_t index = 0;
          auto [stopped, failed] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), index);
          if (failed != std::errc{}) return fail("an index or a name in quotes").has_value();
          at_ = static_cast<size_t>(stopped - text_.data());
          path.emplace_back(index);
        }
        if (!take("]")) return fail("']'").has_value();
      } else {
        break;
      }
    }
    return true;
  }

  std::string_view text_;
  int64_t now_;
  size_t at_ = 0;
  std::string error_;
  Where::Program program_;
};

}  // namespace

std::expected<Where, std::string> Where::parse(std::string_view text, int64_t now_ms) {
  auto program = Parser(text, now_ms).run();
  if (!program) return std::unexpected(program.error());
  return Where(std::make_shared<const Program>(*std::move(program)));
}

}  // namespace barnabas::cli
