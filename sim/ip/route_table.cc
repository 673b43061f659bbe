#include "sim/ip/route_table.h"

#include <algorithm>
#include <tuple>

namespace rtclab::sim {

RouteTable::Key RouteTable::ToKey(const IpAddress& address) {
  const ByteView bytes = address.bytes();
  if (bytes.size() == 4) return {uint64_t{LoadU32(bytes.data())} << 32, 0};
  if (bytes.size() == 16) return {LoadU64(bytes.data()), LoadU64(bytes.data() + 8)};
  return {};
}

RouteTable::Key RouteTable::Mask(Key key, int length) {
  if (length <= 64) {
    key.low = 0;
    key.high &= length == 0 ? 0 : ~uint64_t{0} << (64 - length);
  } else if (length < 128) {
    key.low &= ~uint64_t{0} << (128 - length);
  }
  return key;
}

void RouteTable::Add(const IpAddress& prefix, int length, int port) {
  entries_.push_back({prefix.family(), length, Mask(ToKey(prefix), length), port});
  sorted_ = false;
}

void RouteTable::Sort() const {
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tuple(a.family, -a.length, a.key) < std::tuple(b.family, -b.length, b.key);
  });
  levels_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (levels_.empty() || levels_.back().family != entry.family ||
        levels_.back().length != entry.length) {
      levels_.push_back({entry.family, entry.length, i, i});
    }
    levels_.back().end = i + 1;
  }
  sorted_ = true;
}

int RouteTable::Find(const IpAddress& address, int only) const {
  if (!sorted_) Sort();
  const Key whole = ToKey(address);
  for (const Level& level : levels_) {
    if (level.family != address.family()) continue;
    const Key key = Mask(whole, level.length);
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(level.end);
    auto it = entries_.begin() + static_cast<std::ptrdiff_t>(level.begin);
    if (level.end - level.begin > 4) {
      it = std::lower_bound(it, end, key, [](const Entry& e, const Key& k) { return e.key < k; });
    }
    for (; it != end && it->key <= key; ++it) {
      if (it->key == key && (only == kNone || it->port == only)) return it->port;
    }
  }
  return kNone;
}

}  // namespace rtclab::sim
