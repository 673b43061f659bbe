#include "stack/sctp/tsn_tracker.h"

#include <algorithm>

namespace rtclab::sctp {

void TsnTracker::Reset(uint32_t initial) {
  cumulative_ = kSerialBase + initial - 1;
  blocks_.clear();
  duplicates_.clear();
}

TsnTracker::Verdict TsnTracker::Check(Tsn tsn) const {
  if (tsn <= cumulative_) return Verdict::kDuplicate;
  if (tsn - cumulative_ > 0xFFFF) return Verdict::kTooFar;
  if (blocks_.empty() || tsn > blocks_.back().last) return Verdict::kNew;
  const auto block = std::lower_bound(blocks_.begin(), blocks_.end(), tsn,
                                      [](const Block& b, Tsn t) { return b.last < t; });
  return block->first <= tsn ? Verdict::kDuplicate : Verdict::kNew;
}

void TsnTracker::Record(Tsn tsn) {
  if (tsn == cumulative_ + 1) {
    ++cumulative_;
    if (!blocks_.empty()) Absorb();
    return;
  }
  const auto next = std::lower_bound(blocks_.begin(), blocks_.end(), tsn,
                                     [](const Block& b, Tsn t) { return b.last < t; });
  const bool joins_next = next != blocks_.end() && next->first == tsn + 1;
  const bool joins_previous = next != blocks_.begin() && std::prev(next)->last + 1 == tsn;
  if (joins_previous && joins_next) {
    std::prev(next)->last = next->last;
    blocks_.erase(next);
  } else if (joins_previous) {
    std::prev(next)->last = tsn;
  } else if (joins_next) {
    next->first = tsn;
  } else {
    blocks_.insert(next, Block{tsn, tsn});
  }
}

void TsnTracker::Absorb() {
  std::size_t used = 0;
  while (used < blocks_.size() && blocks_[used].first <= cumulative_ + 1) {
    cumulative_ = std::max(cumulative_, blocks_[used].last);
    ++used;
  }
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(used));
}

void TsnTracker::RecordDuplicate(Tsn tsn) {
  ++duplicate_count_;
  // As many as a small SACK takes; more would say nothing new.
  if (duplicates_.size() < 32) duplicates_.push_back(static_cast<uint32_t>(tsn));
}

void TsnTracker::Forward(Tsn tsn) {
  if (tsn <= cumulative_) return;
  cumulative_ = tsn;
  Absorb();
}

SackChunk TsnTracker::MakeSack(uint32_t a_rwnd, std::size_t limit) {
  SackChunk sack;
  sack.cumulative_tsn = static_cast<uint32_t>(cumulative_);
  sack.a_rwnd = a_rwnd;
  const std::size_t entries = limit < SackChunk::kHeader ? 0 : (limit - SackChunk::kHeader) / 4;
  sack.gaps.reserve(std::min(entries, blocks_.size()));
  for (const Block& block : blocks_) {
    if (sack.gaps.size() == entries) break;
    sack.gaps.push_back({static_cast<uint16_t>(block.first - cumulative_),
                         static_cast<uint16_t>(block.last - cumulative_)});
  }
  const std::size_t room = entries - sack.gaps.size();
  duplicates_.resize(std::min(duplicates_.size(), room));
  sack.duplicates = std::move(duplicates_);
  duplicates_.clear();
  return sack;
}

}  // namespace rtclab::sctp
