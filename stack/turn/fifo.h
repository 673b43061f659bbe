// A first-in first-out queue that keeps its memory: what a drained protocol queues on every packet costs no allocation.
#ifndef RTCLAB_STACK_TURN_FIFO_H_
#define RTCLAB_STACK_TURN_FIFO_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace rtclab::turn {

template <typename T>
class Fifo {
 public:
  bool empty() const { return head_ == items_.size(); }
  void Push(T item) { items_.push_back(std::move(item)); }
  std::optional<T> Pop() {
    if (empty()) return std::nullopt;
    std::optional<T> item(std::move(items_[head_++]));
    // The drain rule empties the queue after every call, so the head never runs far.
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

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_FIFO_H_
