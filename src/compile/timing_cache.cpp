#include "compile/timing_cache.h"

#include <cstdlib>
#include <sstream>

#include "base/error.h"
#include "base/hash.h"

namespace planish {
namespace {

constexpr std::string_view kMagic = "planish timing cache ", kHeader = "planish timing cache 2";

constexpr std::string_view kFull = " full", kOnly = " only";

// Whether the line ended so; it does no more.
bool take_mark(std::string& line, std::string_view mark) {
  if (!line.ends_with(mark)) return false;
  line.resize(line.size() - mark.size());
  return true;
}

std::string described(const Graph& graph, const Node& node, const std::string& target) {
  std::string text = target + node.op.str() + node.attrs.str();
  for (ValueId input : node.inputs)
    text += !input.valid() ? "_" : graph.value(input).type.str() + (graph.value(input).is_constant() ? "c" : "");
  for (ValueId output : node.outputs) text += graph.value(output).type.str();
  for (const auto& region : node.regions)
    for (NodeId id : region->nodes()) text += described(*region, region->node(id), target);
  for (const auto& [name, info] : graph.symbols) text += fmt::format("{}={}", name, info.range.opt);
  return text;
}

}  // namespace

std::string timing_key(const Graph& graph, const Node& node, const Target& target, bool by_name) {
  const std::string text = described(graph, node, target.timings_name()) + (by_name ? " of " + node.name : "");
  return hash128(text.data(), text.size()).hex();
}

bool TimingCache::is_one(std::string_view text) { return text.starts_with(kMagic); }

TimingCache TimingCache::parse(std::string_view text, const std::string& machine) {
  TimingCache cache = parse(text);
  if (cache.machine_ != machine) fail(Code::mismatch, "it was made on another machine: {:.80}", cache.machine_);
  return cache;
}

TimingCache TimingCache::parse(std::string_view text) {
  if (!is_one(text)) fail(Code::invalid_argument, "it is no timing cache");
  std::istringstream lines{std::string(text)};
  std::string line;
  if (!std::getline(lines, line) || line != kHeader) fail(Code::mismatch, "it is of another version");
  TimingCache cache;
  std::getline(lines, cache.machine_);
  while (std::getline(lines, line)) {
    std::string row = line;
    const bool only = take_mark(row, kOnly), full = take_mark(row, kFull);
    const size_t first = row.find(' '), last = row.rfind(' ');
    char* stop = nullptr;
    const double us = first >= last ? -1 : std::strtod(row.c_str() + last + 1, &stop);
    if (!(us > 0) || *stop != 0) fail(Code::invalid_argument, "damaged line '{:.80}'", line);
    cache.rows_[row.substr(0, first)][row.substr(first + 1, last - first - 1)] = {us, only, full};
  }
  return cache;
}

std::string TimingCache::str() const {
  std::string text = fmt::format("{}\n{}\n", kHeader, machine_);
  for (const auto& [key, candidates] : rows_)
    for (const auto& [name, row] : candidates)
      text += fmt::format("{} {} {:.3f}{}{}\n", key, name, row.us, row.full ? kFull : "", row.only ? kOnly : "");
  return text;
}

const TimingCache::Row* TimingCache::find(const std::string& key, const std::string& candidate) const {
  const auto at = rows_.find(key);
  if (at == rows_.end()) return nullptr;
  const auto row = at->second.find(candidate);
  return row == at->second.end() ? nullptr : &row->second;
}

void TimingCache::choose(const std::string& key, const std::string& candidate, double us) {
  const auto at = rows_.find(key);
  if (at == rows_.end() || !at->second.contains(candidate))
    fail(Code::not_found, "nothing was measured for key '{:.40}' and candidate '{:.80}'", key, candidate);
  if (!(us > 0)) fail(Code::invalid_argument, "a time of {} microseconds, more than 0 is accepted", us);
  for (auto& [name, row] : at->second) row.only = false;
  at->second.at(candidate) = {us, true, at->second.at(candidate).full};
}

void TimingCache::add(const TimingCache& other) {
  for (const auto& [key, candidates] : other.rows_)
    for (const auto& [name, row] : candidates) {
      Row& own = rows_[key].try_emplace(name, row).first->second;
      if (row.full && !own.full && !own.only) own = {row.us, false, true};
    }
}

const std::string* TimingCache::only(const std::string& key) const {
  const auto at = rows_.find(key);
  if (at == rows_.end()) return nullptr;
  for (const auto& [name, row] : at->second)
    if (row.only) return &name;
  return nullptr;
}

}  // namespace planish
