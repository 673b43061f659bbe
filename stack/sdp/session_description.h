// A session description (RFC 8866) as a typed value, its parser and its serialiser.
//
//   auto offer = sdp::Parse(text);
//   for (const sdp::MediaDescription& m : offer->media)
//     if (const auto* mid = m.attributes.Find<sdp::Mid>()) Use(mid->value);
//   std::string text = sdp::Serialize(*offer);
//
// Attributes stay in the order of their lines, known and unknown ones alike, so that Serialize(Parse(x)) is x again, but for
// the normalisation that README.md names (line ends, leading zeros, the case of fingerprints).
#ifndef RTCLAB_STACK_SDP_SESSION_DESCRIPTION_H_
#define RTCLAB_STACK_SDP_SESSION_DESCRIPTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "stack/sdp/attribute.h"

namespace rtclab::sdp {

// Where a description is wrong: lines and columns (in bytes) count from 1, and the reason says what was expected there.
struct ParseError {
  int line = 0;
  int column = 0;
  std::string reason;
  // "line 4, column 3: expected ..."
  std::string ToString() const;
  bool operator==(const ParseError&) const = default;
};

template <typename T>
using ParseResult = tl::expected<T, ParseError>;

struct Attribute {
  AttributeValue value;
  int line = 0;  // where it was read; 0 when made here. Not part of the value.
  bool operator==(const Attribute& other) const { return value == other.value; }
};

// The attributes of a session or of one media section, in the order of their lines. T is one of the alternatives of
// AttributeValue.
class AttributeList {
 public:
  // The first T, or null.
  template <typename T>
  const T* Find() const {
    for (const Attribute& a : items_)
      if (const T* value = std::get_if<T>(&a.value)) return value;
    return nullptr;
  }
  template <typename T>
  T* Find() {
    return const_cast<T*>(std::as_const(*this).Find<T>());
  }
  // Every T in order. The pointers live until the list changes.
  template <typename T>
  std::vector<const T*> All() const {
    std::vector<const T*> all;
    for (const Attribute& a : items_)
      if (const T* value = std::get_if<T>(&a.value)) all.push_back(value);
    return all;
  }
  // Calls `use` with every T and its line.
  template <typename T, typename F>
  void ForEach(F&& use) const {
    for (const Attribute& a : items_)
      if (const T* value = std::get_if<T>(&a.value)) use(*value, a.line);
  }
  bool Has(Flag flag) const;
  // Appends the flag unless it is there.
  void Set(Flag flag);
  void Clear(Flag flag);
  // The first attribute without a type of its own that has this name, or null.
  const OtherAttribute* FindOther(std::string_view name) const;

  void Add(AttributeValue value) { items_.push_back({std::move(value), 0}); }
  // Puts the value where the first T is and removes all others; appends if there is none.
  template <typename T>
  void Replace(T value) {
    if (T* first = Find<T>()) {
      *first = std::move(value);
      EraseIf<T>([first](const T& t) { return &t != first; });
    } else {
      Add(std::move(value));
    }
  }
  // Removes every T for which `condition(T)` holds.
  template <typename T, typename F>
  void EraseIf(F&& condition);
  template <typename T>
  void Erase() {
    EraseIf<T>([](const T&) { return true; });
  }

  const std::vector<Attribute>& items() const { return items_; }
  std::vector<Attribute>& items() { return items_; }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  bool operator==(const AttributeList&) const = default;

 private:
  std::vector<Attribute> items_;
};

// o=, RFC 8866 section 5.2.
struct Origin {
  std::string username = "-";
  uint64_t session_id = 0;
  uint64_t session_version = 0;
  ConnectionAddress address{"IN", "IP4", "127.0.0.1"};
  bool operator==(const Origin&) const = default;
};

// b=, RFC 8866 section 5.8: AS (and CT, RS, RR) in kbit/s or bit/s as its type says; TIAS in bit/s (RFC 3890).
struct Bandwidth {
  std::string type;
  uint64_t value = 0;
  bool operator==(const Bandwidth&) const = default;
};

// t= with its r= and z=, RFC 8866 sections 5.9 to 5.11. "0 0" is a session without end. Repeats and zone stay text.
struct TimeDescription {
  uint64_t start = 0;  // seconds since 1900
  uint64_t stop = 0;
  std::vector<std::string> repeats;
  std::string zone;  // empty: no z=
  bool operator==(const TimeDescription&) const = default;
};

// One m= section, RFC 8866 section 5.14.
struct MediaDescription {
  std::string media;  // "audio", "video", "application" ...
  uint16_t port = 9;
  std::optional<uint32_t> port_count;
  std::string protocol;              // "UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP" ...
  std::vector<std::string> formats;  // payload types as text, or "webrtc-datachannel"
  std::optional<std::string> information;
  std::vector<ConnectionAddress> connections;
  std::vector<Bandwidth> bandwidths;
  std::optional<std::string> key;  // obsolete, kept as it came
  AttributeList attributes;
  int line = 0;  // of the m= line; not part of the value

  // Whether the protocol carries RTP (RTP/AVP to UDP/TLS/RTP/SAVPF), or SCTP.
  bool IsRtp() const;
  bool IsSctp() const;
  // The a=mid value, or "".
  std::string_view mid() const;
  // The section's direction; without one, `session_default` (RFC 8866 section 6.7: sendrecv).
  Direction direction(Direction session_default = Direction::kSendRecv) const;
  // Port 0 without bundle-only: refused or stopped (RFC 3264 section 6, RFC 8843 section 6).
  bool IsRejected() const { return port == 0 && !attributes.Has(Flag::kBundleOnly); }
  // The value of the first b= line of this type.
  std::optional<uint64_t> bandwidth(std::string_view type) const;

  // Equal text, wherever it was read.
  bool operator==(const MediaDescription& other) const;
};

struct SessionDescription {
  // v= is always 0.
  Origin origin;
  std::string name = "-";
  std::optional<std::string> information;
  std::optional<std::string> uri;
  std::vector<std::string> emails;
  std::vector<std::string> phones;
  std::optional<ConnectionAddress> connection;
  std::vector<Bandwidth> bandwidths;
  std::vector<TimeDescription> times{TimeDescription{}};  // at least one
  std::optional<std::string> key;                         // obsolete, kept as it came
  AttributeList attributes;
  std::vector<MediaDescription> media;

  // The section with this a=mid, or null.
  const MediaDescription* FindMid(std::string_view mid) const;
  MediaDescription* FindMid(std::string_view mid);
  // Position of the section with this a=mid.
  std::optional<std::size_t> IndexOfMid(std::string_view mid) const;
  // Every a=group:BUNDLE, in order.
  std::vector<const Group*> BundleGroups() const;
  // The group that this mid is in, or null.
  const Group* BundleGroupOf(std::string_view mid) const;

  bool operator==(const SessionDescription&) const = default;
};

// What a section says about its transport, with the session level's values where the section has none (RFC 8839 section
// 5.4, RFC 8122 section 5, RFC 8842 section 5). Under BUNDLE ask the tagged section.
struct TransportDescription {
  std::string ice_ufrag, ice_pwd;         // empty: not given
  std::vector<std::string> ice_options;   // session level and section together, at most 32
  bool ice_lite = false;                  // session level only (RFC 8839 section 5.3)
  std::vector<Fingerprint> fingerprints;  // the section's, else the session's
  std::optional<Setup> setup;
  std::string tls_id;
  bool rtcp_mux = false;
  bool rtcp_mux_only = false;
  bool rtcp_rsize = false;
  std::vector<std::string> candidates;  // "candidate:..." strings
  bool end_of_candidates = false;       // at either level
};
TransportDescription DescribeTransport(const SessionDescription& session,
                                       const MediaDescription& media);

// What is too much. The defaults are far above any real description.
struct ParseLimits {
  std::size_t bytes = std::size_t{1} << 20;
  std::size_t line_bytes = std::size_t{64} << 10;
  std::size_t lines = 20'000;
  std::size_t media = 1024;
};

// Reads a whole description. Lines end in CRLF or LF, the last one too. Errors: what the grammar and the order of RFC 8866
// section 9 forbid, and a malformed value of a known attribute. What is well formed but makes no sense is for Validate().
ParseResult<SessionDescription> Parse(std::string_view text, const ParseLimits& limits = {});

// Reads one attribute: "a=name:value", or without "a=", as "candidate:..." strings are. Without line end.
ParseResult<AttributeValue> ParseAttribute(std::string_view line);

// Lines end in CRLF.
std::string Serialize(const SessionDescription& description);
// Appends one section, from its m= line on.
void AppendTo(std::string& out, const MediaDescription& media);

template <typename T, typename F>
void AttributeList::EraseIf(F&& condition) {
  // A moved-to element changes its address, so what the condition says is collected first.
  std::vector<bool> erase(items_.size());
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const T* value = std::get_if<T>(&items_[i].value);
    erase[i] = value != nullptr && condition(*value);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (erase[i]) continue;
    if (kept != i) items_[kept] = std::move(items_[i]);
    ++kept;
  }
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(kept), items_.end());
}

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_SESSION_DESCRIPTION_H_
