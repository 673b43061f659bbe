#include "conformance/mutation/faulty_server.h"

#include <unistd.h>

#include <atomic>

#include "conformance/server/credentials.h"
#include "conformance/socket/real_clock.h"
#include "stack/base/check.h"
#include "stack/crypto/base64.h"

namespace rtclab::conformance {
namespace {

constexpr std::string_view kRealm = "rtclab";
constexpr std::string_view kSecret = "north";
constexpr std::string_view kServerName = "turn.example.org";
constexpr std::size_t kQuota = 60;

const Credentials kAlice{"alice", "secret of alice"};
const Credentials kBob{"bob", "secret of bob"};
// RFC 8489 section 14.3: OpaqueString leaves them as they are.
const Credentials kJoerg{"J\u00f6rg", "gro\u00dfes Geheimnis"};

bool IsFull(const ServerPlan& plan) { return plan.kind == ServerPlan::Kind::kFull; }

Bytes OauthKeyBytes() {
  Bytes key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(7 * i + 3);
  return key;
}

TransportAddress At(const char* text) { return *TransportAddress::Parse(text); }

turn::IpPrefix Single(const char* text) { return *turn::IpPrefix::Parse(text); }

turn::ServerAuthentication MakeAuthentication(const ServerPlan& plan) {
  auto users = std::make_shared<stun::StaticCredentials>();
  for (const Credentials& user : {kAlice, kBob, kJoerg}) {
    CHECK(users->Add(user.username, user.password).has_value());
  }
  turn::ServerAuthentication authentication;
  authentication.credentials = users;
  if (plan.time_limited) {
    auto rest = std::make_shared<stun::RestCredentials>(std::vector{std::string(kSecret)},
                                                        UnixTimeAtZero().nanos() / 1'000'000'000);
    authentication.credentials = std::make_shared<CredentialChain>(
        std::vector<std::shared_ptr<const stun::CredentialStore>>{users, rest});
    authentication.time_limited = true;
  }
  authentication.long_term.realm = kRealm;
  authentication.long_term.nonce_lifetime = TimeDelta::Seconds(plan.nonce_lifetime_s);
  if (!IsFull(plan)) return authentication;
  authentication.third_party = turn::ThirdPartyAuthorization{
      .server_name = std::string(kServerName),
      .keys = {{.kid = "k1", .key = OauthKeyBytes(), .algorithm = crypto::Aead::kAes256Gcm}}};
  return authentication;
}

turn::ServerConfig MakeTurn(const ServerPlan& plan) {
  turn::ServerConfig config;
  if (plan.kind != ServerPlan::Kind::kIpv6Relay) {
    config.relay_addresses.push_back(*IpAddress::Parse("127.0.0.1"));
  }
  if (plan.kind != ServerPlan::Kind::kPlain) {
    config.relay_addresses.push_back(*IpAddress::Parse("::1"));
  }
  config.authentication = MakeAuthentication(plan);
  // Our peers live here; the rest of loopback is refused, as it should be.
  config.peer_policy.allow = {Single("127.0.0.1/32"), Single("127.0.0.2/32"), Single("::1/128")};
  config.max_allocations_per_user = kQuota;
  config.tcp_relay = IsFull(plan);
  config.mobility = IsFull(plan);
  config.unix_time_at_zero = TimeDelta::Nanos(UnixTimeAtZero().nanos());
  return config;
}

const std::vector<ServerIdentity>& Identities() {
  static const std::vector<ServerIdentity> identities = [] {
    const std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
    std::vector<ServerIdentity> all;
    all.push_back(ServerIdentity::SelfSigned(ServerIdentity::Key::kEcdsa, names));
    all.push_back(ServerIdentity::SelfSigned(ServerIdentity::Key::kRsa, names));
    return all;
  }();
  return identities;
}

// NAT discovery needs ports that are known beforehand: below those that the system gives out.
uint16_t NextPort() {
  static std::atomic<uint32_t> next{static_cast<uint32_t>(::getpid()) % 400 * 20};
  return static_cast<uint16_t>(24'000 + next++ % 8'000);
}

std::vector<stun::IntegrityKey> AllKeys() {
  std::vector<stun::IntegrityKey> keys;
  for (const Credentials& user : {kAlice, kBob}) {
    for (const auto algorithm : {stun::PasswordAlgorithm::kSha256, stun::PasswordAlgorithm::kMd5}) {
      keys.push_back(stun::IntegrityKey::LongTerm(user.username, kRealm, user.password, algorithm));
    }
  }
  return keys;
}

HostConfig MakeHost(const ServerPlan& plan) {
  HostConfig config;
  const TransportAddress primary{IpAddress::V4(127, 0, 0, 1), NextPort()};
  const TransportAddress alternate{IpAddress::V4(127, 0, 0, 3), NextPort()};
  config.listen = {primary, At("[::1]:0")};
  if (IsFull(plan)) config.nat_discovery = {{primary, alternate}};
  if (plan.secure) {
    config.secure_listen = {At("127.0.0.1:0"), At("[::1]:0")};
    config.identities = Identities();
  }
  config.turn = MakeTurn(plan);
  config.clock_speed = plan.clock_speed;
  if (plan.fault != nullptr) {
    if (plan.fault->quirk != nullptr) config.turn.quirks.*plan.fault->quirk = true;
    if (plan.fault->configure != nullptr) plan.fault->configure(config);
  }
  return config;
}

// Another process may have the port: then the next one.
std::unique_ptr<TurnHost> StartSomewhere(const ServerPlan& plan, Tamper* tamper, Rng& rng) {
  for (int attempt = 0;; ++attempt) {
    HostConfig config = MakeHost(plan);
    config.tamper = tamper;
    auto host = TurnHost::Start(std::move(config), rng);
    if (host) return std::move(*host);
    CHECK(attempt < 20);
  }
}

}  // namespace

FaultyServer::FaultyServer(const ServerPlan& plan)
    : rng_(static_cast<uint64_t>(UnixTimeAtZero().nanos())) {
  if (plan.fault != nullptr) tamper_ = std::make_unique<FaultTamper>(*plan.fault, AllKeys());
  host_ = StartSomewhere(plan, tamper_.get(), rng_);
  if (plan.redirecting) {
    HostConfig config;
    config.listen = {At("127.0.0.1:0")};
    config.turn = MakeTurn(plan);
    config.turn.alternate_servers = {host_->endpoints().front().address};
    config.turn.redirect_all = true;
    auto other = TurnHost::Start(std::move(config), rng_);
    CHECK(other.has_value());
    other_ = std::move(*other);
    other_thread_ = std::thread([this] { other_->Run(); });
  }
  Describe(plan);
  if (tamper_ != nullptr) {
    std::vector<TransportAddress> listening;
    for (const TurnHost::Endpoint& endpoint : host_->endpoints()) {
      if (endpoint.transport == Transport::kUdp) listening.push_back(endpoint.address);
    }
    tamper_->SetListening(std::move(listening));
  }
  thread_ = std::thread([this] { host_->Run(); });
}

FaultyServer::~FaultyServer() {
  host_->Stop();
  thread_.join();
  if (other_ == nullptr) return;
  other_->Stop();
  other_thread_.join();
}

void FaultyServer::Describe(const ServerPlan& plan) {
  target_.name = "rtclab";
  target_.host = "localhost";
  for (const TurnHost::Endpoint& endpoint : host_->endpoints()) {
    target_.endpoints.emplace(std::pair(endpoint.transport, endpoint.address.family()),
                              endpoint.address);
  }
  if (IsFull(plan)) target_.addresses = {IpAddress::V4(127, 0, 0, 3)};
  target_.user = IsFull(plan) ? kAlice : kJoerg;
  target_.second_user = kBob;
  if (plan.time_limited) target_.rest_secret = kSecret;
  target_.oauth = OauthKey{.kid = "k1",
                           .key = crypto::Base64Encode(OauthKeyBytes()),
                           .algorithm = "A256GCM",
                           .server_name = std::string(kServerName)};
  target_.insecure = true;
  // Everything but what is declared here is said to be there: a fault must not look like a missing feature.
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    target_.declared[static_cast<Feature>(i)] = true;
  }
  if (!plan.secure) {
    for (const Feature feature :
         {Feature::kTlsTransport, Feature::kDtlsTransport, Feature::kAlpn}) {
      target_.declared[feature] = false;
    }
  }
  if (!IsFull(plan)) {
    for (const Feature feature :
         {Feature::kTcpRelay, Feature::kMobility, Feature::kOauth, Feature::kNatDiscovery,
          Feature::kResponsePort, Feature::kPadding, Feature::kDualAllocation}) {
      target_.declared[feature] = false;
    }
    target_.oauth.reset();
    target_.declared[plan.kind == ServerPlan::Kind::kPlain ? Feature::kIpv6Relay
                                                           : Feature::kIpv4Relay] = false;
  }
  target_.declared[Feature::kRestCredentials] = plan.time_limited;
  if (plan.time_limited) target_.declared[Feature::kUserhash] = false;
  target_.declared[Feature::kRedirect] = other_ != nullptr;
  target_.peers.kind = PeerPlan::Kind::kLocal;
  target_.peers.local = {IpAddress::V4(127, 0, 0, 1), IpAddress::V4(127, 0, 0, 2),
                         *IpAddress::Parse("::1")};
  target_.answer_timeout = TimeDelta::Millis(1'500);
  target_.safety.enabled = true;
  target_.safety.destinations = {IpAddress::V4(127, 0, 0, 7), IpAddress::V4(127, 0, 0, 8)};
  target_.safety.max_packets = 100'000;
  target_.denied_peer = At("127.0.0.4:9");
  target_.user_quota = static_cast<int>(kQuota);
  if (other_ != nullptr) target_.redirecting = other_->endpoints().front().address;
  target_.nonce_lifetime_s = plan.nonce_lifetime_s;
  target_.time_scale = plan.clock_speed;
}

}  // namespace rtclab::conformance
