#include "stack/dtls/srtp_keys.h"

#include "stack/base/check.h"

namespace rtclab::dtls {

std::string_view ToString(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::kAes128CmSha1_80:
      return "SRTP_AES128_CM_SHA1_80";
    case SrtpProfile::kAeadAes128Gcm:
      return "SRTP_AEAD_AES_128_GCM";
    case SrtpProfile::kAeadAes256Gcm:
      return "SRTP_AEAD_AES_256_GCM";
  }
  return "";
}

std::optional<SrtpProfile> SrtpProfileFromId(uint16_t id) {
  const auto profile = static_cast<SrtpProfile>(id);
  if (ToString(profile).empty()) return std::nullopt;
  return profile;
}

std::size_t SrtpKeyLength(SrtpProfile profile) {
  return profile == SrtpProfile::kAeadAes256Gcm ? 32 : 16;
}

std::size_t SrtpSaltLength(SrtpProfile profile) {
  return profile == SrtpProfile::kAes128CmSha1_80 ? 14 : 12;
}

std::vector<SrtpProfile> DefaultSrtpProfiles() {
  return {SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAeadAes256Gcm, SrtpProfile::kAes128CmSha1_80};
}

std::size_t ExportedLength(SrtpProfile profile) {
  return 2 * (SrtpKeyLength(profile) + SrtpSaltLength(profile));
}

SrtpKeys SplitExportedKeys(SrtpProfile profile, Role role, ByteView exported) {
  CHECK(exported.size() == ExportedLength(profile));
  ByteReader reader(exported);
  const auto take = [&](std::size_t count) {
    const ByteView part = *reader.ReadBytes(count);
    return Bytes(part.begin(), part.end());
  };
  SrtpKeys keys;
  keys.profile = profile;
  const bool client = role == Role::kClient;
  (client ? keys.local_key : keys.remote_key) = take(SrtpKeyLength(profile));
  (client ? keys.remote_key : keys.local_key) = take(SrtpKeyLength(profile));
  (client ? keys.local_salt : keys.remote_salt) = take(SrtpSaltLength(profile));
  (client ? keys.remote_salt : keys.local_salt) = take(SrtpSaltLength(profile));
  return keys;
}

}  // namespace rtclab::dtls
