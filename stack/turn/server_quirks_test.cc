// Every switch of ServerQuirks does what it says, and off it is the rule that holds: credentials, allocations, peer policy.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "stack/turn/server_quirks_fixture.h"

namespace rtclab::turn {

QuirkTest::Probes QuirkTest::CredentialProbes() {
  return {
      {"integrity_unchecked", 401, 0,
       [](QuirkTest& t) { return t.AllocateAs("wrong", t.NonceFor(t.here_)); }},
      {"nonce_never_stale", 438, 0,
       [](QuirkTest& t) {
         const std::string nonce = t.NonceFor(t.here_);
         t.At(3600);
         return t.AllocateAs(kPassword, nonce);
       }},
      {"nonce_of_any_source", 438, 0,
       [](QuirkTest& t) { return t.AllocateAs(kPassword, t.NonceFor(t.there_)); }},
      {"other_user_accepted", 441, 0,
       [](QuirkTest& t) {
         t.Allocate();
         t.credentials_.emplace("bob", "builder");
         return t.Refresh(0);
       }},
      {"allocate_unauthenticated", 401, 0,
       [](QuirkTest& t) {
         MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::TransactionId{1});
         AnyAllocate(b);
         t.answer_ = t.PushOn(t.here_, b.Build()).at(0);
         return t.Answer().IsSuccess() ? 0 : t.Answer().GetErrorCode()->code;
       }},
      {"bid_down_unchecked", 400, 0,
       [](QuirkTest& t) {
         // SHA-256 struck from the offer and MD5 chosen.
         return t.AllocateAs(kPassword, t.NonceFor(t.here_), [](MessageBuilder& b) {
           b.AddPasswordAlgorithms(std::vector{stun::PasswordAlgorithm::kMd5});
           b.AddPasswordAlgorithm(stun::PasswordAlgorithm::kMd5);
         });
       }},
      {"truncated_sha256_accepted", 401, 0,
       [](QuirkTest& t) { return t.AllocateAs(kPassword, t.NonceFor(t.here_), {}, 16); }},
      {"unknown_attributes_accepted", 420, 0,
       [](QuirkTest& t) {
         return t.Allocate(
             [](MessageBuilder& b) { b.AddU32(static_cast<AttributeType>(0x7ffe), 1); });
       }},
  };
}

QuirkTest::Probes QuirkTest::AllocationProbes() {
  static const auto reserve = [](MessageBuilder& b) { AddEvenPort(b, true); };
  // Whether a reserved port is given to whom the token says, after some time; else the error.
  static const auto use_token = [](QuirkTest& t, int64_t after_s) {
    t.Allocate(reserve);
    const uint16_t port = t.Relayed().port;
    const uint64_t token = t.Answer().GetU64(AttributeType::kReservationToken).value();
    t.At(after_s);
    const int code = t.AllocateOn(t.there_, kProtocolUdp, [&](MessageBuilder& b) {
      b.AddU64(AttributeType::kReservationToken, token);
    });
    return code != 0 ? code : t.Relayed().port - port;
  };
  return {
      {"second_allocate_accepted", 437, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Allocate();
       }},
      {"retransmitted_allocate_is_new", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         const TransportAddress first = t.Relayed();
         t.answer_ = t.PushOn(t.here_, t.last_request_).at(0);
         return t.Relayed() == first ? 0 : 1;
       }},
      {"reservation_token_ignored", 1, 0,
       [](QuirkTest& t) { return use_token(t, 0) == 1 ? 1 : 0; }},
      {"reservation_token_unchecked", 508, 0,
       [](QuirkTest& t) {
         return t.Allocate(
             [](MessageBuilder& b) { b.AddU64(AttributeType::kReservationToken, 77); });
       }},
      {"reservation_forgotten", 1, 508, [](QuirkTest& t) { return use_token(t, 29); }},
      {"even_port_odd", 0, 1,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) { AddEvenPort(b, false); });
         return t.Relayed().port % 2;
       }},
      {"wrong_family_allocated", 440, 0,
       [](QuirkTest& t) {
         t.Restart([](ServerConfig& c) { c.relay_addresses = {Ip("198.51.100.2")}; });
         return t.Allocate([](MessageBuilder& b) {
           AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
         });
       }},
      {"wrong_family_accepted", 443, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return std::max(t.Permit(kPeer6), t.Bind(0x4000, kPeer6));
       }},
      {"ports_in_order", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         const int first = t.Relayed().port;
         t.AllocateOn(t.there_);
         return t.Relayed().port == first + 1 ? 1 : 0;
       }},
      {"ports_outside_range", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Relayed().port < 49'152 ? 1 : 0;
       }},
      {"quota_ignored", 486, 0,
       [](QuirkTest& t) {
         t.Restart([](ServerConfig& c) { c.max_allocations_per_user = 1; });
         t.Allocate();
         return t.AllocateOn(t.there_);
       }},
      {"tunnel_clients_accepted", 403, 0,
       [](QuirkTest& t) {
         return t.AllocateOn({Address("[2001::1]:9"), Address("[2001:db8::1]:3478")});
       }},
  };
}

QuirkTest::Probes QuirkTest::LifetimeProbes() {
  static const auto count = [](QuirkTest& t) {
    return static_cast<int>(t.server_->allocation_count());
  };
  return {
      {"lifetime_unclamped", 600, 7,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 7); });
         return static_cast<int>(t.Lifetime());
       }},
      {"allocate_lifetime_zero", 600, 0,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 0); });
         return static_cast<int>(t.Lifetime());
       }},
      {"lifetime_zero_ignored", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         EXPECT_EQ(t.Refresh(0), 0);
         return count(t);
       }},
      {"dual_refresh_deletes_both", 1, 0,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) {
           AddFamily(b, AttributeType::kAdditionalAddressFamily, AddressFamily::kIpv6);
         });
         t.Code(Method::kRefresh, [](MessageBuilder& b) {
           b.AddU32(AttributeType::kLifetime, 0);
           AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv4);
         });
         return count(t);
       }},
      {"refresh_has_no_effect", 1, 0,
       [](QuirkTest& t) {
         t.Allocate();
         t.At(500);
         EXPECT_EQ(t.Refresh(600), 0);
         t.At(700);
         return count(t);
       }},
      {"allocation_never_expires", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         t.At(600);
         return count(t);
       }},
      {"data_refreshes_allocation", 0, 1,
       [](QuirkTest& t) {
         t.WithPermission();
         t.At(200);
         EXPECT_EQ(t.Relays(SendIndication(kPeer)), 1);
         t.At(600);
         return count(t);
       }},
  };
}

QuirkTest::Probes QuirkTest::PolicyProbes() {
  static const TransportAddress kInside = Address("10.0.0.1:80");
  return {
      {"permission_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Permit(kInside);
       }},
      {"channel_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Bind(0x4000, kInside);
       }},
      {"connect_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.AllocateOn(t.control_, kProtocolTcp);
         return t.WithPeer(t.control_, Method::kConnect, kInside);
       }},
      {"send_policy_unchecked", 0, 1,
       [](QuirkTest& t) {
         t.Restart([](ServerConfig& c) { c.relay_addresses = {kServer.ip}; });
         t.Allocate();
         t.Permit(kServer);
         return t.Relays(SendIndication(kServer));
       }},
      {"mapped_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) {
           AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
         });
         return t.Permit(Address("[::ffff:127.0.0.1]:1"));
       }},
  };
}

TEST_F(QuirkTest, EachBreaksItsRule) {
  for (const QuirkProbe& probe : AllProbes()) {
    for (const ServerQuirkInfo& info : AllServerQuirks()) {
      if (info.name != probe.name) continue;
      quirks_ = {};
      Restart();
      EXPECT_EQ(probe.run(*this), probe.kept) << probe.name << " off";
      quirks_.*info.member = true;
      Restart();
      EXPECT_EQ(probe.run(*this), probe.broken) << probe.name << " on";
    }
  }
}

// Those of access tokens are tried where tokens are made.
TEST_F(QuirkTest, NoneIsForgotten) {
  std::set<std::string_view> tried = {"token_expiry_unchecked", "token_lifetime_uncapped"};
  for (const QuirkProbe& probe : AllProbes()) tried.insert(probe.name);
  std::set<std::string_view> all;
  for (const ServerQuirkInfo& info : AllServerQuirks()) {
    EXPECT_TRUE(all.insert(info.name).second) << info.name;
  }
  EXPECT_EQ(tried, all);
}

}  // namespace rtclab::turn
