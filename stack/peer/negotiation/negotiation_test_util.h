// Negotiators for tests: a pair that hands descriptions to each other, without transports.
#ifndef RTCLAB_STACK_PEER_NEGOTIATION_NEGOTIATION_TEST_UTIL_H_
#define RTCLAB_STACK_PEER_NEGOTIATION_NEGOTIATION_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "stack/base/check.h"
#include "stack/peer/negotiation/negotiator.h"

namespace rtclab::peer {

inline NegotiatorConfig TestNegotiatorConfig(uint8_t fingerprint_byte = 1) {
  NegotiatorConfig config;
  config.fingerprints = {{"sha-256", Bytes(32, fingerprint_byte)}};
  return config;
}

// One side with its random stream; events are kept.
struct Jsep {
  explicit Jsep(NegotiatorConfig config = TestNegotiatorConfig(), uint64_t seed = 1)
      : rng(seed), negotiator(std::move(config), rng) {}
  Rng rng;
  Negotiator negotiator;

  Negotiator* operator->() { return &negotiator; }

  std::vector<NegotiatorEvent> Events() {
    std::vector<NegotiatorEvent> all;
    while (auto event = negotiator.PollEvent()) all.push_back(std::move(*event));
    return all;
  }
  template <typename T>
  std::vector<T> Take() {
    std::vector<T> found;
    for (NegotiatorEvent& e : Events()) {
      if (T* t = std::get_if<T>(&e)) found.push_back(std::move(*t));
    }
    return found;
  }
  bool NeedsNegotiation() { return !Take<NegotiationNeeded>().empty(); }

  std::string Offer(const OfferOptions& options = {}) {
    const auto offer = negotiator.CreateOffer(options);
    CHECK(offer.has_value());
    return offer->sdp;
  }
  std::string Local() const { return sdp::Serialize(negotiator.local()->sdp); }
  const sdp::MediaDescription& LocalSection(std::size_t i) const {
    return negotiator.local()->sdp.media.at(i);
  }
  const Transceiver& transceiver(std::size_t i) const { return negotiator.transceivers().at(i); }
};

struct JsepPair {
  JsepPair() : JsepPair(TestNegotiatorConfig(1), TestNegotiatorConfig(2)) {}
  JsepPair(NegotiatorConfig first, NegotiatorConfig second)
      : a(std::move(first), 1), b(std::move(second), 2) {}
  Jsep a, b;

  // `from` offers, `to` answers; the name of what failed, or "".
  static std::string Negotiate(Jsep& from, Jsep& to, const OfferOptions& options = {}) {
    const auto offer = from->CreateOffer(options);
    if (!offer) return "createOffer: " + offer.error().message;
    if (auto r = from->SetLocalDescription(SdpType::kOffer, offer->sdp); !r)
      return "setLocal(offer): " + r.error().message;
    if (auto r = to->SetRemoteDescription(SdpType::kOffer, from.Local()); !r)
      return "setRemote(offer): " + r.error().message;
    return Answer(from, to);
  }
  static std::string Answer(Jsep& from, Jsep& to) {
    if (auto r = to->SetLocalDescription(); !r) return "setLocal(answer): " + r.error().message;
    if (auto r = from->SetRemoteDescription(SdpType::kAnswer, to.Local()); !r)
      return "setRemote(answer): " + r.error().message;
    return "";
  }
  std::string Negotiate() { return Negotiate(a, b); }
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_NEGOTIATION_NEGOTIATION_TEST_UTIL_H_
