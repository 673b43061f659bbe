// A first-in first-out queue that keeps its memory while the drain rule empties it again and again.
#ifndef RTCLAB_STACK_DATACHANNEL_EVENT_QUEUE_H_
#define RTCLAB_STACK_DATACHANNEL_EVENT_QUEUE_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace rtclab::datachannel {

template <typename T>
class EventQueue {
 public:
  template <typename U>
  void Push(U&& item) {
    items_.emplace_back(std::forward<U>(item));
  }
  std::optional<T> Pop() {
    if (head_ == items_.size()) return std::nullopt;
    std::optional<T> item(std::move(items_[head_++]));
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    }
    return item;
  }

 private:
  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace rtclab::datachannel

#endif  // RTCLAB_STACK_DATACHANNEL_EVENT_QUEUE_H_
