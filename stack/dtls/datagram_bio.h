// What OpenSSL reads from and writes to: datagrams in memory, and its retransmission timer. For this room only.
#ifndef RTCLAB_STACK_DTLS_DATAGRAM_BIO_H_
#define RTCLAB_STACK_DTLS_DATAGRAM_BIO_H_

#include <openssl/bio.h>
#include <sys/time.h>

#include <deque>
#include <optional>

#include "stack/base/bytes.h"

namespace rtclab::dtls {

// One datagram in at a time, borrowed from the caller; datagrams out in a queue. A read gives a whole datagram or "try again", a write
// makes one.
//
// OpenSSL (ssl/d1_lib.c) keeps the time of its next retransmission in a timeval and compares it with gettimeofday(). It tells its
// BIO where that timeval is whenever it starts or stops the timer. So it is moved far into the future at once, and into the past only
// while our own timer, which runs on the driver's clock, has fired.
class DatagramBio {
 public:
  explicit DatagramBio(std::size_t mtu) : mtu_(mtu) {}
  DatagramBio(const DatagramBio&) = delete;
  DatagramBio& operator=(const DatagramBio&) = delete;

  // A new BIO on top of this, which must outlive it.
  BIO* MakeBio();

  // What the next read gives. Borrowed until it is read or cleared.
  void SetInput(ByteView datagram) { input_ = datagram; }
  void ClearInput() { input_ = {}; }

  std::optional<Bytes> PopOutput();
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
  static BIO_METHOD* Method();
  static int Read(BIO* bio, char* out, int size);
  static int Write(BIO* bio, const char* data, int size);
  static long Control(BIO* bio, int command, long number, void* pointer);
  void OnTimer(timeval* next);

  std::size_t mtu_;
  ByteView input_;
  std::deque<Bytes> output_;
  timeval* next_timeout_ = nullptr;  // OpenSSL's, inside the SSL object
  bool timer_wanted_ = false;
  uint64_t timer_starts_ = 0;
  uint64_t timer_stops_ = 0;
  bool joining_ = false;
  bool join_next_ = false;  // whether the last datagram was written while joining
};

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_DATAGRAM_BIO_H_
