// Opens arbitrary bytes as an access token, as they stand and sealed as the block inside one, so that both parsers are reached.
#include <cstddef>
#include <cstdint>

#include "stack/base/check.h"
#include "stack/turn/access_token.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using rtclab::Bytes;
  namespace turn = rtclab::turn;
  namespace crypto = rtclab::crypto;
  const turn::AccessTokenKey key{"kid", Bytes(32, 7), crypto::Aead::kAes256Gcm};
  const rtclab::ByteView input(data, size);
  (void)turn::OpenAccessToken(key, "server", input);

  const Bytes nonce(crypto::kAeadNonceSize, 1);
  rtclab::ByteWriter writer;
  writer.WriteU16(static_cast<uint16_t>(nonce.size()));
  writer.WriteBytes(nonce);
  writer.WriteBytes(
      crypto::AeadSeal(key.algorithm, key.key, nonce, rtclab::AsBytes("server"), input));
  const Bytes sealed = writer.Take();
  const auto token = turn::OpenAccessToken(key, "server", sealed);
  // What can be read can be written, and gives the same bytes.
  if (token) CHECK(turn::MakeAccessToken(key, "server", *token, nonce) == sealed);
  return 0;
}
