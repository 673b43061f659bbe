#include "stack/sctp/path_mtu.h"

#include <algorithm>

namespace rtclab::sctp {

std::optional<std::size_t> PathMtuSearch::NextProbe() {
  if (done_ || probe_ != 0) return std::nullopt;
  if (again_ != 0) {
    probe_ = again_;
  } else {
    // The greatest size first: most paths either take it or have a common smaller one; then by halves.
    const std::size_t top = bad_ == 0 ? max_ : bad_;
    if (top < good_ + kStep) {
      done_ = true;
      return std::nullopt;
    }
    probe_ = (bad_ == 0 ? max_ : good_ + (bad_ - good_) / 2) & ~std::size_t{3};
  }
  again_ = 0;
  return probe_;
}

bool PathMtuSearch::OnAcknowledged(std::size_t size) {
  if (size != probe_) return false;
  probe_ = 0;
  losses_ = 0;
  const bool grew = size > good_;
  good_ = std::max(good_, size);
  return grew;
}

void PathMtuSearch::OnTimeout() {
  if (probe_ == 0) return;
  if (++losses_ < kMaxProbes) {
    again_ = probe_;
  } else {
    bad_ = probe_;
    losses_ = 0;
  }
  probe_ = 0;
}

bool PathMtuSearch::OnBlackHole() {
  if (good_ <= base_) return false;
  bad_ = good_;
  good_ = base_;
  probe_ = 0;
  again_ = 0;
  losses_ = 0;
  done_ = false;
  return true;
}

void PathMtuSearch::SetBase(std::size_t base) {
  base_ = base;
  good_ = base;
  Raise();
}

void PathMtuSearch::Raise() {
  bad_ = 0;
  probe_ = 0;
  again_ = 0;
  losses_ = 0;
  done_ = false;
}

}  // namespace rtclab::sctp
