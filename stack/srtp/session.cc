#include "stack/srtp/session.h"

#include <srtp2/srtp.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::srtp {
namespace {

constexpr std::size_t kMinReplayWindow = 64;
constexpr std::size_t kMaxReplayWindow = 32'767;
constexpr std::size_t kRtpHeader = 12;  // RFC 3550 section 5.1, without CSRCs
constexpr std::size_t kRtcpHeader = 8;  // RFC 3550 section 6.4, up to the sender's SSRC

struct Profile {
  uint16_t id;
  std::size_t key_length;
  std::size_t salt_length;
  std::size_t tag_length;
  void (*set_policy)(srtp_crypto_policy_t*);
};

// RFC 5764 section 4.1.2 and RFC 7714 section 14.2: RTP and RTCP are protected alike in these profiles.
constexpr std::array<Profile, 3> kProfiles{{
    {0x0001, 16, 14, 10, srtp_crypto_policy_set_rtp_default},
    {0x0007, 16, 12, 16, srtp_crypto_policy_set_aes_gcm_128_16_auth},
    {0x0008, 32, 12, 16, srtp_crypto_policy_set_aes_gcm_256_16_auth},
}};

// Once a process, by whoever is first; there is no shutdown, so nobody can be cut off. One context stays for good: where libsrtp stands
// on NSS, every cipher joins NSS and the last one to leave closes it, and opening it again takes most of a millisecond.
void InitialiseLibrary() {
  static const srtp_t kept = [] {
    CHECK(srtp_init() == srtp_err_status_ok);
    srtp_policy_t policy{};
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    policy.ssrc.type = ssrc_any_outbound;
    Bytes unused_key(SRTP_AES_GCM_128_KEY_LEN_WSALT);
    policy.key = unused_key.data();
    srtp_t context = nullptr;
    CHECK(srtp_create(&context, &policy) == srtp_err_status_ok);
    return context;
  }();
  CHECK(kept != nullptr);
}

std::string_view NameStatus(srtp_err_status_t status) {
  switch (status) {
    case srtp_err_status_auth_fail:
    case srtp_err_status_cipher_fail:  // how a GCM tag that does not fit is told
      return reason::kAuthFail;
    case srtp_err_status_replay_fail:
      return reason::kReplay;
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
      return reason::kReplayOld;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
      return reason::kMalformed;
    case srtp_err_status_key_expired:
      return reason::kKeyExpired;
    default:
      return reason::kInternal;
  }
}

using Operation = srtp_err_status_t (*)(srtp_t, void*, int*);

// Runs one of libsrtp's four functions on a packet of at least `least` bytes that may grow by `growth` bytes.
Result<void> Apply(Operation operation, srtp_t context, Bytes& packet, std::size_t least,
                   std::size_t growth) {
  // A packet is at most a datagram. libsrtp looks neither at the version (RFC 3550 section 5.1) nor, everywhere, at the length.
  constexpr std::size_t kMaxPacket = 65'535;
  constexpr int kVersion = 2;
  if (packet.size() < least || packet.size() > kMaxPacket || packet[0] >> 6 != kVersion) {
    return Fail(std::string(reason::kMalformed));
  }
  int length = static_cast<int>(packet.size());
  packet.resize(packet.size() + growth);
  const srtp_err_status_t status = operation(context, packet.data(), &length);
  if (status != srtp_err_status_ok) {
    packet.resize(packet.size() - growth);
    return Fail(std::string(NameStatus(status)));
  }
  CHECK(length >= 0 && static_cast<std::size_t>(length) <= packet.size());
  packet.resize(static_cast<std::size_t>(length));
  return {};
}

// Points into `key_and_salt` and `encrypted`.
srtp_policy_t PolicyOf(const Profile& profile, Direction direction, Bytes& key_and_salt,
                       const SessionOptions& options, std::vector<int>& encrypted) {
  srtp_policy_t policy{};
  profile.set_policy(&policy.rtp);
  profile.set_policy(&policy.rtcp);
  policy.ssrc.type = direction == Direction::kSend ? ssrc_any_outbound : ssrc_any_inbound;
  policy.key = key_and_salt.data();
  policy.window_size = std::clamp(options.replay_window, kMinReplayWindow, kMaxReplayWindow);
  policy.allow_repeat_tx = options.allow_repeated_sending ? 1 : 0;
  encrypted.assign(options.encrypted_extensions.begin(), options.encrypted_extensions.end());
  if (!encrypted.empty()) {
    policy.enc_xtn_hdr = encrypted.data();
    policy.enc_xtn_hdr_count = static_cast<int>(encrypted.size());
  }
  return policy;
}

}  // namespace

Result<Session> Session::Create(uint16_t profile, ByteView key, ByteView salt, Direction direction,
                                const SessionOptions& options) {
  const auto* const found =
      std::ranges::find_if(kProfiles, [&](const Profile& p) { return p.id == profile; });
  if (found == kProfiles.end() || key.size() != found->key_length ||
      salt.size() != found->salt_length) {
    return Fail(std::string(reason::kBadKey));
  }
  InitialiseLibrary();
  Keys keys{profile, Bytes(key.begin(), key.end())};
  keys.key_and_salt.insert(keys.key_and_salt.end(), salt.begin(), salt.end());
  std::vector<int> encrypted;
  srtp_policy_t policy = PolicyOf(*found, direction, keys.key_and_salt, options, encrypted);
  srtp_t context = nullptr;
  const srtp_err_status_t status = srtp_create(&context, &policy);
  if (status != srtp_err_status_ok) return Fail(std::string(reason::kInternal));
  return Session(context, direction, found->tag_length, std::move(keys), options);
}

void Session::SetEncryptedExtensions(std::vector<uint8_t> identifiers) {
  options_.encrypted_extensions = std::move(identifiers);
  const auto* const found =
      std::ranges::find_if(kProfiles, [&](const Profile& p) { return p.id == keys_.profile; });
  std::vector<int> encrypted;
  srtp_policy_t policy = PolicyOf(*found, direction_, keys_.key_and_salt, options_, encrypted);
  CHECK(srtp_update(context_, &policy) == srtp_err_status_ok);
}

Session::Session(Session&& other) noexcept
    : context_(std::exchange(other.context_, nullptr)),
      direction_(other.direction_),
      tag_length_(other.tag_length_),
      keys_(std::move(other.keys_)),
      options_(std::move(other.options_)) {}

Session& Session::operator=(Session&& other) noexcept {
  std::swap(context_, other.context_);
  direction_ = other.direction_;
  tag_length_ = other.tag_length_;
  keys_ = std::move(other.keys_);
  options_ = std::move(other.options_);
  return *this;
}

Session::~Session() {
  if (context_ != nullptr) srtp_dealloc(context_);
}

Result<void> Session::Protect(Bytes& rtp) {
  CHECK(direction_ == Direction::kSend);
  return Apply(srtp_protect, context_, rtp, kRtpHeader, kMaxOverhead);
}

Result<void> Session::ProtectRtcp(Bytes& rtcp) {
  CHECK(direction_ == Direction::kSend);
  return Apply(srtp_protect_rtcp, context_, rtcp, kRtcpHeader, kMaxOverhead);
}

Result<void> Session::Unprotect(Bytes& srtp) {
  CHECK(direction_ == Direction::kReceive);
  return Apply(srtp_unprotect, context_, srtp, kRtpHeader + rtp_overhead(), 0);
}

Result<void> Session::UnprotectRtcp(Bytes& srtcp) {
  CHECK(direction_ == Direction::kReceive);
  return Apply(srtp_unprotect_rtcp, context_, srtcp, kRtcpHeader + rtcp_overhead(), 0);
}

}  // namespace rtclab::srtp
