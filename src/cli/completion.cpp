#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "barnabas/config.h"
#include "config/tables.h"

namespace barnabas::cli {

namespace {

std::string long_form(const Flag& flag) {
  return flag.name.size() == 1 ? fmt::format("-{}", flag.name) : fmt::format("--{}", flag.name);
}

// The keys that may be meant: of clients for a profile or -X, else of topics, brokers or groups.
std::vector<std::string> config_keys(const Command& command, const std::vector<std::string>& positionals,
                                     bool of_client) {
  std::set<std::string_view> keys;
  auto add = [&](const config::KeyTable& table) {
    for (const auto& row : table.rows()) {
      if (!row.internal) keys.insert(row.name);
    }
  };
  std::string_view resource = positionals.empty() ? std::string_view() : std::string_view(positionals[0]);
  if (of_client) {
    for (const auto& key : client::config_keys(client::ClientKind::kAdmin)) keys.insert(key.name);
  } else if (command.path.starts_with("topic") || resource.starts_with("topic/")) {
    add(config::topic_keys());
  } else if (resource.starts_with("group/")) {
    add(config::group_keys());
  } else if (resource.starts_with("client-metrics/")) {
    add(config::client_metrics_keys());
  } else {
    add(config::broker_keys());
    if (!resource.starts_with("broker")) add(config::topic_keys());
  }
  return {keys.begin(), keys.end()};
}

class Line {
 public:
  Line(std::span<const std::string> words, const NamesOf& names) : names_of_(names) {
    current_ = words.empty() ? "" : words.back();
    before_ = words.empty() ? words : words.first(words.size() - 1);
  }

  Completion complete() {
    read();
    if (value_of_ != nullptr) {
      offer_values(*value_of_, "", current_);
    } else if (size_t equals = current_.find('=');
               !only_positionals_ && current_.starts_with("--") && equals != std::string::npos) {
      if (const Flag* flag = find_flag(std::string_view(current_).substr(0, equals))) {
        offer_values(*flag, current_.substr(0, equals + 1), current_.substr(equals + 1));
      }
    } else if (!only_positionals_ && current_.starts_with("-")) {
      offer_flags();
    } else if (command_ == nullptr) {
      offer_commands(words_);
    } else {
      offer_positional();
    }
    return std::move(done_);
  }

 private:
  // What stands before the word: the command, its flags, how many positionals; perhaps a flag that wants a value.
  void read() {
    for (const std::string& word : before_) {
      if (value_of_ != nullptr) {
        take(*value_of_, word);
        value_of_ = nullptr;
      } else if (!only_positionals_ && word == "--") {
        only_positionals_ = true;
      } else if (!only_positionals_ && word.starts_with("-") && word.size() > 1) {
        size_t equals = word.find('=');
        const Flag* flag = find_flag(std::string_view(word).substr(0, equals));
        if (flag == nullptr) continue;
        used_.insert(flag->name);
        if (equals != std::string::npos) {
          take(*flag, word.substr(equals + 1));
        } else if (!flag->value.empty()) {
          value_of_ = flag;
        }
      } else if (command_ == nullptr) {
        words_.push_back(word);
        find_the_command();
      } else {
        positionals_.push_back(word);
      }
    }
  }

  void find_the_command() {
    std::vector<std::string_view> views(words_.begin(), words_.end());
    command_ = find_command(views);
  }

  const Flag* find_flag(std::string_view word) const {
    auto named = [&](std::span<const Flag> flags) -> const Flag* {
      for (const Flag& flag : flags) {
        bool letter = word.size() == 2 && word[0] == '-' && flag.letter != 0 && word[1] == flag.letter;
        if (letter || word == long_form(flag)) return &flag;
      }
      return nullptr;
    };
    const Flag* found = command_ ? named(command_->flags) : nullptr;
    if (!found) found = named(common_flags());
    if (!found && (command_ == nullptr || command_->connects)) found = named(connection_flags());
    return found;
  }

  void take(const Flag& flag, const std::string& value) {
    for (const Flag& connection : connection_flags()) {
      if (connection.name == flag.name) connection_[std::string(flag.name)].push_back(value);
    }
  }

  void offer(std::string text, std::string_view what, std::string_view prefix) {
    if (text.starts_with(prefix)) done_.candidates.push_back({std::move(text), std::string(what)});
  }

  void offer_flags() {
    auto all = [&](std::span<const Flag> flags) {
      for (const Flag& flag : flags) {
        bool again = used_.contains(flag.name) && !flag.repeated;
        if (!again) offer(long_form(flag), flag.help, current_);
        used_.insert(flag.name);
      }
    };
    if (command_) all(command_->flags);
    if (!command_ || command_->connects) all(connection_flags());
    all(common_flags());
  }

  void offer_commands(const std::vector<std::string>& words) {
    if (words.empty()) {
      for (const Noun& noun : nouns()) {
        if (!commands_of(noun.name).empty()) offer(std::string(noun.name), noun.summary, current_);
      }
    } else if (words.size() == 1) {
      for (const Command* command : commands_of(words[0])) {
        size_t verb = command->path.find(' ');
        if (verb != std::string_view::npos)
          offer(std::string(command->path.substr(verb + 1)), command->summary, current_);
      }
    }
  }

  void offer_positional() {
    const auto& wanted = command_->positionals;
    if (wanted.empty()) return;
    size_t at = std::min(positionals_.size(), wanted.size() - 1);
    if (positionals_.size() > at && !wanted[at].repeated) return;
    const Positional& positional = wanted[at];
    if (positional.completes == Completes::kCommand) return offer_commands(positionals_);
    for (std::string_view choice : positional.choices) offer(std::string(choice), "", current_);
    std::set<std::string> given(positionals_.begin(), positionals_.end());
    bool of_profile =
        command_->path.starts_with("profile ") && (positional.name == "setting" || positional.name == "key");
    if (of_profile || positional.completes == Completes::kConfigKey) {
      return offer_keys("", current_, of_profile, positional.name == "setting");
    }
    offer_names(positional.completes, "", current_, given);
  }

  // Keys; with the "=" where a value follows, which is the person's.
  void offer_keys(const std::string& before, const std::string& prefix, bool of_client, bool with_value) {
    static const Command kNone{.path = "", .summary = ""};
    for (const auto& key : config_keys(command_ ? *command_ : kNone, positionals_, of_client)) {
      if (key.starts_with(prefix)) done_.candidates.push_back({before + key + (with_value ? "=" : ""), {}});
    }
  }

  void offer_values(const Flag& flag, const std::string& before, const std::string& prefix) {
    for (std::string_view choice : flag.choices) {
      if (choice.starts_with(prefix)) done_.candidates.push_back({before + std::string(choice), {}});
    }
    if (flag.completes == Completes::kConfigKey || flag.name == "X") {
      return offer_keys(before, prefix, flag.name == "X", flag.value == "KEY=VALUE");
    }
    offer_names(flag.completes, before, prefix, {});
  }

  void offer_names(Completes kind, const std::string& before, const std::string& prefix,
                   const std::set<std::string>& given) {
    if (kind == Completes::kNothing) return;
    if (kind == Completes::kFile) {
      done_.files = true;
      return;
    }
    for (std::string& name : names_of_(kind, connection_)) {
      if (name.starts_with(prefix) && !given.contains(name)) done_.candidates.push_back({before + name, {}});
    }
  }

  const NamesOf& names_of_;
  std::span<const std::string> before_;
  std::string current_;
  std::vector<std::string> words_, positionals_;
  const Command* command_ = nullptr;
  const Flag* value_of_ = nullptr;  // the flag whose value the word is
  bool only_positionals_ = false;   // after "--"
  std::set<std::string_view> used_;
  Invocation::Values connection_;
  Completion done_;
};

}  // namespace

Completion complete_line(std::span<const std::string> words, const NamesOf& names) {
  return Line(words, names).complete();
}

int complete(Invocation& call) {
  auto words = call.values("word");
  Completion found = complete_line(words, names_of_cluster);
  for (const Candidate& candidate : found.candidates) {
    bool plain = candidate.text.find_first_of("\t\n") == std::string::npos;
    if (plain) call.out().line(candidate.what.empty() ? candidate.text : candidate.text + "\t" + candidate.what);
  }
  if (found.files) call.out().line(":file");
  call.out().flush();
  std::_Exit(kDone);  // a client that still waits for a broker shall not keep a person's shell waiting
}

}  // namespace barnabas::cli
