#include "conformance/engine/case.h"

#include <array>
#include <cstddef>

#include "conformance/engine/verdict.h"

namespace rtclab::conformance {
namespace {

// In the order of Feature.
constexpr std::array<std::string_view, kFeatureCount> kFeatureNames = {"turn",
                                                                       "udp",
                                                                       "tcp",
                                                                       "tls",
                                                                       "dtls",
                                                                       "ipv6",
                                                                       "ipv6-relay",
                                                                       "ipv4-relay",
                                                                       "dual",
                                                                       "even-port",
                                                                       "reservation",
                                                                       "dont-fragment",
                                                                       "security-features",
                                                                       "userhash",
                                                                       "tcp-relay",
                                                                       "mobility",
                                                                       "oauth",
                                                                       "nat-discovery",
                                                                       "response-port",
                                                                       "padding",
                                                                       "classic-stun",
                                                                       "alpn",
                                                                       "icmp",
                                                                       "rest",
                                                                       "redirect"};

}  // namespace

std::string_view ToString(Level level) {
  switch (level) {
    case Level::kMust:
      return "MUST";
    case Level::kMustNot:
      return "MUST NOT";
    case Level::kProse:
      return "required";
    case Level::kShould:
      return "SHOULD";
    case Level::kShouldNot:
      return "SHOULD NOT";
    case Level::kRecommended:
      return "RECOMMENDED";
    case Level::kMay:
      return "MAY";
    case Level::kInfo:
      return "info";
    case Level::kPolicy:
      return "policy";
  }
  return "";
}

std::string_view ToString(Feature feature) {
  return kFeatureNames[static_cast<std::size_t>(feature)];
}

std::optional<Feature> ParseFeature(std::string_view name) {
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    if (kFeatureNames[i] == name) return static_cast<Feature>(i);
  }
  return std::nullopt;
}

std::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return "pass";
    case Outcome::kFail:
      return "fail";
    case Outcome::kWeak:
      return "weak";
    case Outcome::kInfo:
      return "info";
    case Outcome::kUnsupported:
      return "unsupported";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kBlocked:
      return "blocked";
    case Outcome::kError:
      return "error";
  }
  return "";
}

std::string_view ToString(Expectation expectation) {
  switch (expectation) {
    case Expectation::kNone:
      return "";
    case Expectation::kExpectedFail:
      return "xfail";
    case Expectation::kUnexpectedPass:
      return "xpass";
  }
  return "";
}

Feature TransportFeature(Transport transport) {
  switch (transport) {
    case Transport::kUdp:
      return Feature::kUdpTransport;
    case Transport::kTcp:
      return Feature::kTcpTransport;
    case Transport::kTls:
      return Feature::kTlsTransport;
    case Transport::kDtls:
      return Feature::kDtlsTransport;
  }
  return Feature::kUdpTransport;
}

}  // namespace rtclab::conformance
