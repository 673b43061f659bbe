#include "stack/sctp/scheduler.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::sctp {
namespace {

// Virtual time advances by bytes * kUnit / weight, so that the heaviest stream (65,535) still moves.
constexpr uint64_t kUnit = uint64_t{1} << 16;

}  // namespace

uint64_t StreamScheduler::KeyOf(const OutStream& stream) const {
  switch (kind_) {
    case SchedulerKind::kFirstComeFirstServed:
      return stream.queue.front()->arrival;
    case SchedulerKind::kRoundRobin:
    case SchedulerKind::kRoundRobinPerPacket:
      return 0;
    case SchedulerKind::kPriority:
      return uint64_t{UINT16_MAX} - stream.priority;
    case SchedulerKind::kFairCapacity:
    case SchedulerKind::kWeightedFair:
      return stream.virtual_finish;
  }
  return 0;
}

void StreamScheduler::Add(OutStream& stream) {
  if (stream.scheduled) return;
  // A stream that was silent has no claim to what it did not use.
  stream.virtual_finish = std::max(stream.virtual_finish, virtual_time_);
  stream.scheduled = true;
  heap_.push_back({KeyOf(stream), ++turns_, &stream});
  std::push_heap(heap_.begin(), heap_.end());
}

void StreamScheduler::Remove(OutStream& stream) {
  if (!stream.scheduled) return;
  stream.scheduled = false;
  if (heap_.front().stream == &stream) {
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    return;
  }
  std::erase_if(heap_, [&](const Entry& e) { return e.stream == &stream; });
  std::make_heap(heap_.begin(), heap_.end());
}

void StreamScheduler::Replace(OutStream& stream) {
  CHECK(heap_.front().stream == &stream);
  if (heap_.size() == 1) {
    heap_.front() = {KeyOf(stream), ++turns_, &stream};
    return;
  }
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.back() = {KeyOf(stream), ++turns_, &stream};
  std::push_heap(heap_.begin(), heap_.end());
}

void StreamScheduler::Charge(OutStream& stream, std::size_t bytes) {
  const uint64_t weight = kind_ == SchedulerKind::kWeightedFair ? stream.priority : 256;
  stream.virtual_finish += bytes * kUnit / std::max<uint64_t>(weight, 1);
}

void StreamScheduler::Served(std::size_t bytes) {
  OutStream& stream = *Top();
  packet_used_ = true;
  virtual_time_ = std::max(virtual_time_, stream.virtual_finish);
  Charge(stream, bytes);
  if (!stream.Eligible()) {
    Remove(stream);
  } else if (kind_ != SchedulerKind::kRoundRobinPerPacket) {
    Replace(stream);
  }
}

void StreamScheduler::PacketBegins() {
  if (kind_ == SchedulerKind::kRoundRobinPerPacket && packet_used_ && Top() != nullptr) {
    Replace(*Top());
  }
  packet_used_ = false;
}

}  // namespace rtclab::sctp
