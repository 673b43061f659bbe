// A first-in first-out queue with access by index, in one block of memory that is kept.
#ifndef RTCLAB_STACK_SCTP_RING_H_
#define RTCLAB_STACK_SCTP_RING_H_

#include <cstddef>
#include <utility>
#include <vector>

namespace rtclab::sctp {

template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return slots_[(head_ + i) & (slots_.size() - 1)]; }
  const T& operator[](std::size_t i) const { return slots_[(head_ + i) & (slots_.size() - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void PushBack(T item) {
    if (size_ == slots_.size()) Grow();
    (*this)[size_++] = std::move(item);
  }
  void PopFront() {
    front() = T();
    head_ = (head_ + 1) & (slots_.size() - 1);
    --size_;
  }
  T TakeFront() {
    T item = std::move(front());
    PopFront();
    return item;
  }
  void Clear() {
    while (!empty()) PopFront();
  }

 private:
  void Grow() {
    std::vector<T> larger(slots_.empty() ? 8 : 2 * slots_.size());
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> slots_;  // a power of two of them
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_RING_H_
