#include "conformance/socket/secure_stream.h"

#include <openssl/err.h>

#include <utility>

#include "conformance/socket/real_clock.h"
#include "conformance/socket/secure_stream_impl.h"

namespace rtclab::conformance {

SecureStream::SecureStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SecureStream::SecureStream(SecureStream&&) noexcept = default;
SecureStream& SecureStream::operator=(SecureStream&&) noexcept = default;
SecureStream::~SecureStream() = default;

SecureStream SecureStream::Client(const SecureContext& context, std::string_view server_name) {
  SecureStream out(std::make_unique<Impl>(context, &server_name));
  out.impl_->Pump({});
  return out;
}

SecureStream SecureStream::Server(const SecureContext& context) {
  return SecureStream(std::make_unique<Impl>(context, nullptr));
}

void SecureStream::HandleBytes(ByteView bytes) { impl_->Pump(bytes); }

void SecureStream::HandleEnd() {
  Impl& s = *impl_;
  if (s.state == State::kHandshaking) {
    s.Fail("the connection ended during the handshake");
  } else if (s.state == State::kOpen) {
    s.state = State::kClosed;
    s.reason = s.closing ? "closed here" : "closed without close_notify";
  }
}

Result<void> SecureStream::Send(ByteView bytes) {
  Impl& s = *impl_;
  if (s.state == State::kClosed || s.state == State::kFailed) return rtclab::Fail(s.reason);
  if (s.closing) return rtclab::Fail("closed here");
  if (s.is_datagram() && bytes.size() > SSL3_RT_MAX_PLAIN_LENGTH) {
    return rtclab::Fail("a DTLS record holds 16,384 bytes at most, not " +
                        std::to_string(bytes.size()));
  }
  if (bytes.empty()) return {};
  if (s.state == State::kHandshaking) {
    s.waiting.emplace_back(bytes.begin(), bytes.end());
    return {};
  }
  ERR_clear_error();
  std::size_t written = 0;
  if (SSL_write_ex(s.ssl.get(), bytes.data(), bytes.size(), &written) != 1) {
    s.Fail(TakeOpenSslError());
    return rtclab::Fail(s.reason);
  }
  return {};
}

void SecureStream::Close() {
  Impl& s = *impl_;
  if (s.closing || s.state == State::kClosed || s.state == State::kFailed) return;
  s.closing = true;
  if (s.state == State::kHandshaking) {
    s.state = State::kClosed;
    s.reason = "closed here";
    s.waiting.clear();
    return;
  }
  ERR_clear_error();
  SSL_shutdown(s.ssl.get());
}

std::optional<Bytes> SecureStream::PollTransmit() { return impl_->bio.PopOutput(); }

std::optional<Bytes> SecureStream::PollReceived() {
  if (impl_->received.empty()) return std::nullopt;
  Bytes bytes = std::move(impl_->received.front());
  impl_->received.pop_front();
  return bytes;
}

Timestamp SecureStream::NextTimeout() const {
  const Impl& s = *impl_;
  timeval left{};
  if (!s.is_datagram() || s.state == State::kClosed || s.state == State::kFailed ||
      DTLSv1_get_timeout(s.ssl.get(), &left) != 1) {
    return Timestamp::PlusInfinity();
  }
  return RealNow() + TimeDelta::Seconds(left.tv_sec) + TimeDelta::Micros(left.tv_usec);
}

void SecureStream::HandleTimeout() {
  Impl& s = *impl_;
  if (!s.is_datagram() || s.state == State::kClosed || s.state == State::kFailed) return;
  ERR_clear_error();
  if (DTLSv1_handle_timeout(s.ssl.get()) < 0) s.Fail("no answer to the handshake");
}

SecureStream::State SecureStream::state() const { return impl_->state; }

const std::string& SecureStream::reason() const { return impl_->reason; }

const SecureInfo& SecureStream::info() const { return impl_->info; }

void SecureStream::SetMtu(int bytes) {
  if (!impl_->is_datagram()) return;
  impl_->bio.set_mtu(static_cast<std::size_t>(bytes));
  SSL_set_mtu(impl_->ssl.get(), bytes);
}

}  // namespace rtclab::conformance
