#include "stack/dtls/datagram_bio.h"

#include <utility>

namespace rtclab::dtls {
namespace {

// Past every clock, and without overflow where OpenSSL subtracts the present.
constexpr time_t kFarFuture = time_t{1} << 40;

}  // namespace

void DatagramBio::ExpireTimer() {
  if (next_timeout_ == nullptr) return;
  // Not zero: that means "no timer".
  *next_timeout_ = {.tv_sec = 1, .tv_usec = 0};
}

bool DatagramBio::Joins(std::size_t last, std::size_t size) {
  // A flight sent again comes message by message; RFC 6347 section 4.1.1 lets records share a datagram.
  return std::exchange(join_next_, joining_) && joining_ && last + size <= mtu();
}

void DatagramBio::OnTimer(timeval* next) {
  next_timeout_ = next;
  if (next->tv_sec == 0 && next->tv_usec == 0) {
    timer_wanted_ = false;
    ++timer_stops_;
    return;
  }
  timer_wanted_ = true;
  ++timer_starts_;
  *next = {.tv_sec = kFarFuture, .tv_usec = 0};
}

long DatagramBio::OtherControl(int command, void* pointer) {
  if (command != BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT) return 0;
  OnTimer(static_cast<timeval*>(pointer));
  return 1;
}

}  // namespace rtclab::dtls
