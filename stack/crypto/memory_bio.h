// What OpenSSL reads from and writes to, in memory: OpenSSL's own BIO_s_mem() does not keep datagrams apart.
#ifndef RTCLAB_STACK_CRYPTO_MEMORY_BIO_H_
#define RTCLAB_STACK_CRYPTO_MEMORY_BIO_H_

#include <openssl/bio.h>

#include <deque>
#include <optional>

#include "stack/base/bytes.h"

namespace rtclab::crypto {

// Input is borrowed from the caller, output queued. A derived class may say how writes are put together, and answer control calls.
class MemoryBio {
 public:
  enum class Kind : uint8_t {
    kStream,  // a read takes what fits
    kDatagrams,  // each write is a datagram, each read takes one whole: what does not fit is lost, as with a socket
  };
  // `mtu`: the largest datagram that OpenSSL should write, in bytes of UDP payload.
  MemoryBio(Kind kind, std::size_t mtu) : kind_(kind), mtu_(mtu) {}
  virtual ~MemoryBio() = default;
  MemoryBio(const MemoryBio&) = delete;
  MemoryBio& operator=(const MemoryBio&) = delete;

  // A new BIO on top of this, which must outlive it.
  BIO* MakeBio();

  // What reads give until it is used up or cleared.
  void SetInput(ByteView input) { input_ = input; }
  void ClearInput() { input_ = {}; }
  // The next datagram, or what the stream has written since it was last asked.
  std::optional<Bytes> PopOutput();
  void set_mtu(std::size_t mtu) { mtu_ = mtu; }

 protected:
  std::size_t mtu() const { return mtu_; }
  // Whether `size` more bytes go into the piece of output written last, of which `last` bytes are there.
  virtual bool Joins(std::size_t last, std::size_t size);
  // Control calls that are not answered here; 0: not known.
  virtual long OtherControl(int command, void* pointer);

 private:
  static const BIO_METHOD* Method();
  static int Read(BIO* bio, char* out, int size);
  static int Write(BIO* bio, const char* data, int size);
  static long Control(BIO* bio, int command, long number, void* pointer);

  Kind kind_;
  std::size_t mtu_;
  ByteView input_;
  std::deque<Bytes> output_;
};

}  // namespace rtclab::crypto

#endif  // RTCLAB_STACK_CRYPTO_MEMORY_BIO_H_
