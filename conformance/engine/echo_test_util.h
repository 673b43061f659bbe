// A peer-echo on loopback, for the tests of both of its kinds of peers.
#ifndef RTCLAB_CONFORMANCE_ENGINE_ECHO_TEST_UTIL_H_
#define RTCLAB_CONFORMANCE_ENGINE_ECHO_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "conformance/engine/engine_test_util.h"
#include "conformance/engine/peer_echo.h"
#include "conformance/engine/peer_echo_server.h"

namespace rtclab::conformance {

class EchoTest : public ::testing::Test {
 protected:
  void Serve(const char* allow, int max_peers = 64) {
    options_.allow = {*ParsePrefix(allow)};
    options_.max_peers = max_peers;
    Serve();
  }
  void Serve() {
    options_.listen = Loopback();
    options_.token = "token";
    server_.emplace(std::move(*EchoServer::Listen(options_)));
    thread_ = std::thread([this] { server_->Run(stop_); });
  }
  void TearDown() override {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  Result<std::unique_ptr<EchoPeer>> Open(AddressFamily family = AddressFamily::kIpv4) {
    return EchoPeer::Open(server_->address(), "token", family);
  }

  EchoServerOptions options_;
  std::optional<EchoServer> server_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_ECHO_TEST_UTIL_H_
