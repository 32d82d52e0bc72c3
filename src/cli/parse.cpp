#include "cli/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/nearest.h"

namespace barnabas::cli {

namespace {

// What a call of an unknown command is told.
std::string unknown_command(std::span<const std::string_view> words) {
  std::vector<std::string_view> candidates;
  bool known_noun = false;
  for (const Noun& noun : nouns()) known_noun |= noun.name == words[0];
  std::string_view wrong = words[0];
  if (known_noun && words.size() > 1) {
    wrong = words[1];
    for (const Command* command : commands_of(words[0])) {
      size_t verb = command->path.find(' ');
      if (verb != std::string_view::npos) candidates.push_back(command->path.substr(verb + 1));
    }
  } else {
    for (const Noun& noun : nouns()) candidates.push_back(noun.name);
  }
  std::string_view near = nearest(wrong, candidates);
  std::string named = known_noun && words.size() > 1 ? fmt::format("{} {}", words[0], wrong) : std::string(wrong);
  std::string text = fmt::format("there is no command '{}'", named);
  bool of_noun = known_noun && words.size() > 1;
  if (near.empty())
    return text + (of_noun ? fmt::format("; see `barnabas {} --help`", words[0]) : "; see `barnabas --help`");
  return text + fmt::format("; did you mean '{}{}{}'?", of_noun ? words[0] : "", of_noun ? " " : "", near);
}

std::string form(const Flag& flag) {
  return flag.name.size() == 1 ? fmt::format("-{}", flag.name) : fmt::format("--{}", flag.name);
}

using Words = std::span<const std::string_view>;

// What stands after the words of a command.
class Arguments {
 public:
  Arguments(const Command& command, Parsed& parsed) : command_(command), parsed_(parsed) {
    auto add = [&](std::span<const Flag> flags) {
      for (const Flag& flag : flags) {
        bool own = std::ranges::any_of(flags_, [&](const Flag* other) { return other->name == flag.name; });
        if (!own) flags_.push_back(&flag);  // a command's own flag stands before that of all commands
      }
    };
    add(command.flags);
    add(common_flags());
    if (command.connects) add(connection_flags());
  }

  std::expected<void, std::string> read(Words words) {
    for (size_t at = 0; at < words.size(); ++at) {
      std::string_view word = words[at];
      std::expected<size_t, std::string> more = 0;
      if (only_positionals_ || word.size() < 2 || word[0] != '-') {
        positionals_.emplace_back(word);
      } else if (word == "--") {
        only_positionals_ = true;
      } else {
        more = word[1] == '-' ? read_long(word, words.subspan(at + 1)) : read_letters(word, words.subspan(at + 1));
      }
      if (!more) return std::unexpected(more.error());
      at += *more;
    }
    return hand_out();
  }

 private:
  // The flags take this many of the words that follow.
  std::expected<size_t, std::string> read_long(std::string_view word, Words next) {
    size_t equals = word.find('=');
    std::string_view name = word.substr(0, equals);
    const Flag* flag = nullptr;
    for (const Flag* each : flags_) {
      if (form(*each) == name) flag = each;
    }
    if (flag == nullptr) return std::unexpected(unknown_flag(name));
    if (equals == std::string_view::npos) return take(*flag, std::nullopt, next);
    if (flag->value.empty()) return std::unexpected(fmt::format("{} takes no value", name));
    return take(*flag, word.substr(equals + 1), next);
  }

  // "-n 3", "-n3", and several switches as "-wy".
  std::expected<size_t, std::string> read_letters(std::string_view word, Words next) {
    for (size_t at = 1; at < word.size(); ++at) {
      auto found = std::ranges::find_if(flags_, [&](const Flag* flag) {
        return flag->letter == word[at] || (flag->name.size() == 1 && flag->name[0] == word[at]);
      });
      if (found == flags_.end()) return std::unexpected(unknown_flag(at == 1 ? word : fmt::format("-{}", word[at])));
      const Flag& flag = **found;
      std::string_view rest = word.substr(at + 1);
      if (!flag.value.empty()) return take(flag, rest.empty() ? std::nullopt : std::optional(rest), next);
      if (auto taken = take(flag, std::nullopt, {}); !taken) return taken;
    }
    return 0;
  }

  std::expected<size_t, std::string> take(const Flag& flag, std::optional<std::string_view> value, Words next) {
    auto& values = parsed_.values[std::string(flag.name)];
    if (flag.value.empty()) {
      if (flag.name == "help") parsed_.help = true;
      return 0;
    }
    bool from_next = !value;
    if (from_next) {
      if (next.empty()) return std::unexpected(fmt::format("{} wants a value ({})", form(flag), flag.value));
      value = next[0];
    }
    if (auto wrong = none_of(flag.choices, *value)) return std::unexpected(fmt::format("{}: {}", form(flag), *wrong));
    if (!flag.repeated) values.clear();
    values.emplace_back(*value);
    return from_next ? 1 : 0;
  }

  static std::optional<std::string> none_of(const std::vector<std::string_view>& choices, std::string_view value) {
    if (choices.empty() || std::ranges::find(choices, value) != choices.end()) return std::nullopt;
    return fmt::format("'{}' is not one of {}", value, fmt::join(choices, ", "));
  }

  std::string unknown_flag(std::string_view name) const {
    std::vector<std::string> forms;
    for (const Flag* flag : flags_) forms.push_back(form(*flag));
    std::vector<std::string_view> views(forms.begin(), forms.end());
    std::string_view near = name.starts_with("--") ? nearest(name, views) : "";
    return near.empty() ? fmt::format("there is no flag {}", name)
                        : fmt::format("there is no flag {}; did you mean {}?", name, near);
  }

  // Gives the positionals their names.
  std::expected<void, std::string> hand_out() {
    size_t used = 0;
    for (const Positional& positional : command_.positionals) {
      size_t count = positional.repeated ? positionals_.size() - used : std::min<size_t>(1, positionals_.size() - used);
      if (count == 0 && positional.required && !parsed_.help) {
        return std::unexpected(fmt::format("{} is missing; see `barnabas {} --help`", positional.name, command_.path));
      }
      for (; count > 0; --count, ++used) {
        std::string& value = positionals_[used];
        if (auto wrong = none_of(positional.choices, value)) {
          return std::unexpected(fmt::format("{}: {}", positional.name, *wrong));
        }
        parsed_.values[std::string(positional.name)].push_back(std::move(value));
      }
    }
    if (used == positionals_.size()) return {};
    auto rest = std::span(positionals_).subspan(used);
    return std::unexpected(fmt::format("too many arguments: {}", fmt::join(rest, " ")));
  }

  const Command& command_;
  Parsed& parsed_;
  std::vector<const Flag*> flags_;
  std::vector<std::string> positionals_;
  bool only_positionals_ = false;
};

bool asks_for_help(Words words) {
  for (std::string_view word : words) {
    if (word == "--") return false;
    if (word == "-h" || word == "--help") return true;
  }
  return false;
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  return config::nearest_word(candidates, word, 3);
}

namespace {

// Flags of all commands may stand before the command: `barnabas -b host:9092 topic list`. How many words they take.
size_t leading_flags(std::span<const std::string_view> arguments) {
  size_t used = 0;
  while (used < arguments.size() && arguments[used].starts_with("-")) {
    std::string_view word = arguments[used];
    const Flag* found = nullptr;
    bool attached = false;
    for (auto flags : {common_flags(), connection_flags()}) {
      for (const Flag& flag : flags) {
        std::string name = form(flag);
        std::string letter = flag.letter != 0 ? fmt::format("-{}", flag.letter) : name;
        bool with_value = word.starts_with(name + "=") && name.size() > 2;
        bool glued = word.size() > 2 && !word.starts_with("--") && word.starts_with(letter) && !flag.value.empty();
        if (word != name && word != letter && !with_value && !glued) continue;
        found = &flag;
        attached = with_value || glued;
      }
    }
    if (found == nullptr || found->name == "help") return used;
    used += found->value.empty() || attached ? 1 : 2;
  }
  return std::min(used, arguments.size());
}

}  // namespace

std::expected<Parsed, std::string> parse(std::span<const std::string_view> given) {
  Parsed parsed;
  size_t leading = leading_flags(given);
  auto after = given.subspan(leading);
  size_t words = 0;
  while (words < after.size() && words < 2 && !after[words].starts_with("-")) ++words;
  // The command's words, the flags before them, the rest.
  std::vector<std::string_view> arguments(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(words));
  if (words > 0) arguments.insert(arguments.end(), given.begin(), given.begin() + static_cast<std::ptrdiff_t>(leading));
  arguments.insert(arguments.end(), after.begin() + static_cast<std::ptrdiff_t>(words), after.end());
  if (words == 0) {
    if (leading > 0 && arguments.empty())
      return std::unexpected("a command is expected after the flags; see `barnabas --help`");
    if (arguments.empty() || arguments[0] == "-h" || arguments[0] == "--help") return parsed;
    return std::unexpected(fmt::format("a command is expected before {}; see `barnabas --help`", arguments[0]));
  }
  auto named = std::span<const std::string_view>(arguments).first(words);
  const Command* command = find_command(named);
  if (command == nullptr && words == 2) {  // a command of one word and its first positional
    command = find_command(named.first(1));
    if (command != nullptr) words = 1;
  }
  if (command == nullptr) {
    bool noun_alone =
        words == 1 && std::ranges::any_of(nouns(), [&](const Noun& noun) { return noun.name == named[0]; });
    if (!noun_alone) return std::unexpected(unknown_command(named));
    parsed.noun = named[0];
    bool asked = arguments.size() > words && (arguments[words] == "-h" || arguments[words] == "--help");
    if (asked) return parsed;
    return std::unexpected(fmt::format("'{}' needs a verb; see `barnabas {} --help`", named[0], named[0]));
  }
  parsed.command = command;
  auto rest = std::span<const std::string_view>(arguments).subspan(words);
  auto read = Arguments(*command, parsed).read(rest);
  if (!read && !asks_for_help(rest)) return std::unexpected(read.error());
  parsed.help |= !read;
  return parsed;
}

}  // namespace barnabas::cli
