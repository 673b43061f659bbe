// Datagrams in memory for OpenSSL, and its retransmission timer. For this room only.
#ifndef RTCLAB_STACK_DTLS_DATAGRAM_BIO_H_
#define RTCLAB_STACK_DTLS_DATAGRAM_BIO_H_

#include <sys/time.h>

#include "stack/crypto/memory_bio.h"

namespace rtclab::dtls {

// OpenSSL (ssl/d1_lib.c) keeps the time of its next retransmission in a timeval and compares it with gettimeofday(). It tells its
// BIO where that timeval is whenever it starts or stops the timer. So it is moved far into the future at once, and into the past only
// while our own timer, which runs on the driver's clock, has fired.
class DatagramBio final : public crypto::MemoryBio {
 public:
  explicit DatagramBio(std::size_t mtu) : MemoryBio(Kind::kDatagrams, mtu) {}

  // While joining, what is written goes into the datagram written before as long as it fits the MTU.
  void BeginJoining() {
    joining_ = true;
    join_next_ = false;
  }
  void EndJoining() { joining_ = false; }

  // Whether OpenSSL wants a retransmission timer now, and how often it has started and stopped one.
  bool timer_wanted() const { return timer_wanted_; }
  uint64_t timer_starts() const { return timer_starts_; }
  uint64_t timer_stops() const { return timer_stops_; }
  // Makes OpenSSL's timer look expired until OpenSSL starts or stops it again.
  void ExpireTimer();

 private:
  bool Joins(std::size_t last, std::size_t size) override;
  long OtherControl(int command, void* pointer) override;
  void OnTimer(timeval* next);

  timeval* next_timeout_ = nullptr;  // OpenSSL's, inside the SSL object
  bool timer_wanted_ = false;
  uint64_t timer_starts_ = 0;
  uint64_t timer_stops_ = 0;
  bool joining_ = false;
  bool join_next_ = false;  // whether the last datagram was written while joining
};

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_DATAGRAM_BIO_H_
