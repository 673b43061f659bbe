#include "scenarios/runner/selection.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace rtclab::scenarios {
namespace {

constexpr std::size_t kMaxName = 120;

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substitution, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// FNV-1a, 64 bits (Fowler, Noll, Vo).
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

bool IsSafe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._=+-").find(c) != std::string_view::npos;
}

}  // namespace

Result<Shard> ParseShard(std::string_view text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  const bool slash = index.ec == std::errc() && index.ptr != end && *index.ptr == '/';
  const auto count = slash ? std::from_chars(index.ptr + 1, end, shard.count) : index;
  if (!slash || count.ec != std::errc() || count.ptr != end || shard.count < 1 || shard.index < 1 ||
      shard.index > shard.count) {
    return Fail(fmt::format("\"{}\": expected i/n with 1 <= i <= n, such as 2/5", text));
  }
  return shard;
}

bool Matches(std::string_view id, const std::string& pattern) {
  if (pattern.empty() || id.find(pattern) != std::string_view::npos) return true;
  if (pattern.find_first_of("*?[") == std::string::npos) return false;
  return fnmatch(pattern.c_str(), std::string(id).c_str(), 0) == 0;
}

std::vector<std::size_t> Select(std::span<const std::string> ids, const std::string& pattern,
                                Shard shard) {
  std::vector<std::size_t> selected;
  std::size_t matching = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!Matches(ids[i], pattern)) continue;
    if (matching++ % static_cast<std::size_t>(shard.count) ==
        static_cast<std::size_t>(shard.index - 1)) {
      selected.push_back(i);
    }
  }
  return selected;
}

std::vector<std::size_t> Find(std::span<const std::string> ids, std::string_view wanted) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == wanted) return {i};
    if (ids[i].find(wanted) != std::string::npos) found.push_back(i);
  }
  return found;
}

std::string Nearest(std::string_view wanted, std::span<const std::string> valid) {
  std::string nearest;
  // More than two in five characters wrong is another name, not a slip.
  std::size_t best = std::max<std::size_t>(2, wanted.size() * 2 / 5) + 1;
  for (const std::string& name : valid) {
    const std::size_t distance = EditDistance(wanted.substr(0, 400), name);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string SafeName(std::string_view id) {
  std::string name;
  for (const char c : id.substr(0, kMaxName)) name += IsSafe(c) ? c : '_';
  if (name != id || name.empty() || name.front() == '.') {
    if (!name.empty() && name.front() == '.') name.front() = '_';
    name += fmt::format("-{:016x}", Hash(id));
  }
  return name;
}

}  // namespace rtclab::scenarios
