#include "stack/stun/alternate_server.h"

namespace rtclab::stun {
namespace {

constexpr TimeDelta kNotAgainWithin = TimeDelta::Seconds(300);  // RFC 8489 section 10: five minutes

}  // namespace

void RedirectGuard::Asked(Timestamp now, const TransportAddress& server) {
  std::erase_if(asked_, [&](const auto& entry) { return now - entry.second >= kNotAgainWithin; });
  asked_[server] = now;
}

std::optional<Redirect> RedirectGuard::Follow(Timestamp now, const MessageView& response,
                                              const TransportAddress& server) {
  Asked(now, server);
  const auto code = response.GetErrorCode();
  const auto servers = response.GetAddresses(AttributeType::kAlternateServer);
  if (!response.IsError() || !code || code->code != kErrorTryAlternate || !servers) {
    return std::nullopt;
  }
  for (const TransportAddress& candidate : *servers) {
    if (candidate.family() != server.family()) continue;
    if (asked_.contains(candidate)) return std::nullopt;
    const auto domain = response.GetString(AttributeType::kAlternateDomain);
    return Redirect{candidate, std::string(domain.value_or(""))};
  }
  return std::nullopt;
}

void AddAlternateServers(MessageBuilder& response, AddressFamily client_family,
                         std::span<const TransportAddress> servers, std::string_view domain) {
  for (const bool same_family : {true, false}) {
    for (const TransportAddress& server : servers) {
      if ((server.family() == client_family) != same_family) continue;
      response.AddAddress(AttributeType::kAlternateServer, server);
    }
  }
  if (!domain.empty()) response.AddString(AttributeType::kAlternateDomain, domain);
}

}  // namespace rtclab::stun
