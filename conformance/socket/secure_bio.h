// The network side of an association as an OpenSSL BIO in memory: it reads the bytes at hand and keeps what is written. For this folder only.
#ifndef RTCLAB_CONFORMANCE_SOCKET_SECURE_BIO_H_
#define RTCLAB_CONFORMANCE_SOCKET_SECURE_BIO_H_

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include <deque>
#include <optional>

#include "stack/base/bytes.h"

namespace rtclab::conformance {

class SecureBio {
 public:
  // `datagrams`: each write is a datagram of its own and each read takes one whole; otherwise both are streams.
  explicit SecureBio(bool datagrams) : datagrams_(datagrams) {}
  SecureBio(const SecureBio&) = delete;
  SecureBio& operator=(const SecureBio&) = delete;

  // A BIO on this object, which must outlive it.
  BIO* MakeBio();
  // What reads give until it is used up; a view, so for the length of one call into OpenSSL.
  void set_input(ByteView input) { input_ = input; }
  std::optional<Bytes> PopOutput();
  void set_mtu(int mtu) { mtu_ = mtu; }

 private:
  static const BIO_METHOD* Method();
  static int Read(BIO* bio, char* out, int size);
  static int Write(BIO* bio, const char* data, int size);
  static long Control(BIO* bio, int command, long number, void* pointer);

  bool datagrams_;
  int mtu_ = 1'200;
  ByteView input_;
  std::deque<Bytes> output_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_SECURE_BIO_H_
