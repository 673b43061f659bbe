// Which runs of a suite are meant: by id, and by shard.
#ifndef RTCLAB_SCENARIOS_RUNNER_SELECTION_H_
#define RTCLAB_SCENARIOS_RUNNER_SELECTION_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/error.h"

namespace rtclab::scenarios {

// "2/5": the second of five parts of a suite, for as many machines.
struct Shard {
  int index = 1;  // 1 to count
  int count = 1;
};
Result<Shard> ParseShard(std::string_view text);

// True when `id` is `pattern`, contains it, or, with one of * ? [ in it, matches it as a shell pattern from end to end.
// The empty pattern matches all.
bool Matches(std::string_view id, const std::string& pattern);

// Indices of the ids that match `pattern`, dealt out to the shards one by one, so that every run is in exactly one.
std::vector<std::size_t> Select(std::span<const std::string> ids, const std::string& pattern,
                                Shard shard);

// Indices of ids that a person may have meant by `wanted`: the exact one; otherwise those that contain it.
std::vector<std::size_t> Find(std::span<const std::string> ids, std::string_view wanted);
// The valid name with the smallest edit distance; empty when nothing comes near.
std::string Nearest(std::string_view wanted, std::span<const std::string> valid);

// A file name that stands for `id` and for no other: letters, digits and ._=+- stay, what else there is becomes _ and is
// told apart by a hash at the end. At most 140 characters.
std::string SafeName(std::string_view id);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUNNER_SELECTION_H_
