// Two transports on a virtual wire, for the tests and benchmarks of this room.
#ifndef RTCLAB_STACK_DTLS_DTLS_TEST_UTIL_H_
#define RTCLAB_STACK_DTLS_DTLS_TEST_UTIL_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "stack/base/check.h"
#include "stack/dtls/transport.h"

namespace rtclab::dtls {

// What one side's events said.
struct EndRecord {
  std::optional<Connected> connected;
  std::optional<Failed> failed;
  std::optional<Closed> closed;
  std::vector<Bytes> data;
  std::vector<std::string> key_log;
  Timestamp connected_at, failed_at;
};

class TestPair {
 public:
  struct Options {
    uint64_t seed = 1;
    TransportConfig client, server;  // certificate, role and empty fingerprints are filled in
    bool client_knows_fingerprint = true, server_knows_fingerprint = true;
    TimeDelta delay = TimeDelta::Millis(10);                       // one way
    std::optional<Certificate> server_certificate = std::nullopt;  // absent: a fresh one
  };
  using Arriving = std::vector<Bytes>;
  struct Sent {
    bool from_client;
    Timestamp at;
    Bytes datagram;
  };

  explicit TestPair(Options options)
      : delay_(options.delay),
        rng_(options.seed),
        client_certificate(Certificate::Generate(rng_, now)),
        server_certificate(options.server_certificate ? *options.server_certificate
                                                      : Certificate::Generate(rng_, now)) {
    options.client.certificate = &client_certificate;
    options.server.certificate = &server_certificate;
    options.client.role = Role::kClient;
    options.server.role = Role::kServer;
    if (options.client_knows_fingerprint && options.client.remote_fingerprints.empty()) {
      options.client.remote_fingerprints = {server_certificate.fingerprint()};
    }
    if (options.server_knows_fingerprint && options.server.remote_fingerprints.empty()) {
      options.server.remote_fingerprints = {client_certificate.fingerprint()};
    }
    client = std::make_unique<Transport>(std::move(options.client), rng_);
    server = std::make_unique<Transport>(std::move(options.server), rng_);
  }
  TestPair() : TestPair(Options()) {}

  void Start() {
    client->Start(now);
    server->Start(now);
    Drain();
  }

  // Called for each datagram; gives what arrives instead: nothing, it, or several.
  std::function<Arriving(const Sent&)> on_wire;

  // Sends what is waiting and collects events.
  void Drain() {
    for (const bool is_client : {true, false}) {
      Transport& end = is_client ? *client : *server;
      while (auto datagram = end.PollTransmit()) {
        Sent item{is_client, now, std::move(*datagram)};
        std::vector<Bytes> arriving;
        if (on_wire) {
          arriving = on_wire(item);
        } else {
          arriving.push_back(item.datagram);
        }
        sent.push_back(std::move(item));
        for (Bytes& bytes : arriving) {
          in_flight_.emplace(std::pair(now + delay_, order_++), std::pair(is_client, bytes));
        }
      }
      while (auto event = end.PollEvent()) {
        Take(is_client ? client_record : server_record, std::move(*event));
      }
    }
  }

  // Runs until `done`, until nothing can happen any more, or until `limit`.
  void RunUntil(const std::function<bool()>& done, Timestamp limit = Timestamp::Seconds(1'000)) {
    Drain();
    while (!done()) {
      Timestamp next = std::min(client->NextTimeout(), server->NextTimeout());
      if (!in_flight_.empty()) next = std::min(next, in_flight_.begin()->first.first);
      if (next.IsInfinite() || next > limit) return;
      now = std::max(now, next);
      if (!in_flight_.empty() && in_flight_.begin()->first.first <= now) {
        const auto [from_client, bytes] = std::move(in_flight_.begin()->second);
        in_flight_.erase(in_flight_.begin());
        (from_client ? *server : *client).HandlePacket(now, bytes);
      }
      if (client->NextTimeout() <= now) client->HandleTimeout(now);
      if (server->NextTimeout() <= now) server->HandleTimeout(now);
      Drain();
    }
  }
  void RunIdle(Timestamp limit = Timestamp::Seconds(1'000)) {
    RunUntil([] { return false; }, limit);
  }
  bool BothConnected() const { return client_record.connected && server_record.connected; }
  // Start() and run until both are connected; says whether they are.
  bool Connect() {
    Start();
    RunUntil([this] { return BothConnected(); });
    return BothConnected();
  }

  Timestamp now = Timestamp::Seconds(5);

 private:
  void Take(EndRecord& record, TransportEvent&& event) {
    if (auto* connected = std::get_if<Connected>(&event)) {
      CHECK(!record.connected);
      record.connected = std::move(*connected);
      record.connected_at = now;
    } else if (auto* failed = std::get_if<Failed>(&event)) {
      CHECK(!record.failed);
      record.failed = std::move(*failed);
      record.failed_at = now;
    } else if (auto* closed = std::get_if<Closed>(&event)) {
      CHECK(!record.closed);
      record.closed = *closed;
    } else if (auto* data = std::get_if<DataReceived>(&event)) {
      record.data.push_back(std::move(data->payload));
    } else {
      record.key_log.push_back(std::get<KeyLogLine>(event).line);
    }
  }

  TimeDelta delay_;
  Rng rng_;
  std::map<std::pair<Timestamp, int>, std::pair<bool, Bytes>> in_flight_;
  int order_ = 0;

 public:
  Certificate client_certificate, server_certificate;
  std::unique_ptr<Transport> client, server;
  EndRecord client_record, server_record;
  std::vector<Sent> sent;
};

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_DTLS_TEST_UTIL_H_
