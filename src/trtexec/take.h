#pragma once
// How values get into options, and how options are shown: the building blocks of the tables of fields.

#include <fmt/format.h>

#include <limits>

#include "trtexec/options.h"

namespace planish::trtexec {

using Take = std::function<void(Options&, const std::string&)>;
using Show = std::function<std::string(const Options&)>;

inline Take turn(bool Options::*member, bool on = true) {
  return [=](Options& o, const std::string&) { o.*member = on; };
}
inline Take word(std::string Options::*member) {
  return [=](Options& o, const std::string& text) { o.*member = text; };
}
inline Take words(std::vector<std::string> Options::*member) {
  return [=](Options& o, const std::string& text) { (o.*member).push_back(text); };
}
inline Take whole(int Options::*member, int least, int most = std::numeric_limits<int>::max()) {
  return [=](Options& o, const std::string& text) { o.*member = static_cast<int>(integer(text, least, most)); };
}
inline Take fraction(double Options::*member, double least) {
  return [=](Options& o, const std::string& text) { o.*member = real(text, least); };
}
// One of the words; they are checked even where they mean nothing.
template <class Set>
Take choice(std::vector<std::string> accepted, Set set) {
  return [accepted = std::move(accepted), set](Options& o, const std::string& text) {
    for (size_t i = 0; i < accepted.size(); ++i)
      if (accepted[i] == text) return set(o, i);
    throw std::invalid_argument(fmt::format("'{}' is none of {}", text, fmt::join(accepted, ", ")));
  };
}
inline Take one_of(std::vector<std::string> accepted) {
  return choice(std::move(accepted), [](Options&, size_t) {});
}
inline void nothing(Options&, const std::string&) {}

inline std::string enabled(bool on) { return on ? "Enabled" : "Disabled"; }
inline Show whether(bool Options::*member) {
  return [=](const Options& o) { return enabled(o.*member); };
}
inline Show told(std::string Options::*member) {
  return [=](const Options& o) { return o.*member; };
}
inline Show joined(std::vector<std::string> Options::*member) {
  return [=](const Options& o) { return fmt::format("{}", fmt::join(o.*member, " ")); };
}

}  // namespace planish::trtexec
