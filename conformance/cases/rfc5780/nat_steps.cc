#include "conformance/cases/rfc5780/nat_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/rfc8489/stun_steps.h"

namespace rtclab::conformance {
namespace {

constexpr uint16_t kNatIndicationType =
    stun::EncodeMessageType(stun::MessageClass::kIndication, stun::Method::kBinding);

bool NatIsNamed(Test& t, const IpAddress& ip) {
  const Target& target = t.target();
  const bool further =
      std::find(target.addresses.begin(), target.addresses.end(), ip) != target.addresses.end();
  return further || std::any_of(target.endpoints.begin(), target.endpoints.end(),
                                [&ip](const auto& e) { return e.second.ip == ip; });
}

}  // namespace

std::string NatFlags::Text() const {
  const std::string_view what = ip && port ? "change IP and change port"
                                : ip       ? "change IP"
                                : port     ? "change port"
                                           : "no flag";
  return fmt::format("CHANGE-REQUEST with {}", what);
}

Response NatBinding(Test& t, Client& client) {
  Response response = client.Call(BindingRequest());
  if (!response.success()) t.Block("Binding: " + response.Describe());
  return response;
}

bool NatIsDiscovery(const Response& response) {
  return response.Has(stun::AttributeType::kResponseOrigin) ||
         response.Has(stun::AttributeType::kOtherAddress);
}

TransportAddress NatOther(Test& t, Client& client) {
  const auto other = NatBinding(t, client).view().GetAddress(stun::AttributeType::kOtherAddress);
  if (!other) t.Block("no OTHER-ADDRESS in the Binding response");
  return *other;
}

TransportAddress NatMapped(Test& t, Client& client) {
  const auto mapped =
      NatBinding(t, client).view().GetXorAddress(stun::AttributeType::kXorMappedAddress);
  if (!mapped) t.Block("no XOR-MAPPED-ADDRESS in the Binding response");
  return *mapped;
}

TransportAddress NatSource(const Client& client, const TransportAddress& other, NatFlags flags) {
  return {flags.ip ? other.ip : client.server().ip, flags.port ? other.port : client.server().port};
}

bool NatLetIn(Test& t, Client& client, const TransportAddress& source) {
  if (source == client.server() || client.server().ip.IsLoopback()) return true;
  if (!NatIsNamed(t, source.ip)) return false;
  t.Note(fmt::format(
      "a Binding indication to {}: a NAT or firewall before us then lets in what comes from there",
      source.ToString()));
  return client.channel().SendTo(source, RawStun(t, kNatIndicationType), {}).has_value();
}

std::optional<Response> NatChange(Test& t, Client& client, const TransportAddress& other,
                                  NatFlags flags) {
  const bool let_in = NatLetIn(t, client, NatSource(client, other, flags));
  Response response = client.Call(BindingRequest().ChangeRequest(flags.ip, flags.port));
  if (!response && !let_in) return std::nullopt;
  return response;
}

}  // namespace rtclab::conformance
