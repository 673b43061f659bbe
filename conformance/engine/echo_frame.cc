#include "conformance/engine/echo_frame.h"

namespace rtclab::conformance {

void WriteEchoAddress(ByteWriter& out, const TransportAddress& address) {
  out.WriteU8(static_cast<uint8_t>(address.family()));
  out.WriteU16(address.port);
  out.WriteBytes(address.ip.bytes());
}

std::optional<TransportAddress> ReadEchoAddress(ByteReader& in) {
  const auto family = in.ReadU8();
  const auto port = in.ReadU16();
  if (!family || !port || (*family != 4 && *family != 6)) return std::nullopt;
  const auto ip = in.ReadBytes(*family == 4 ? 4 : 16);
  if (!ip) return std::nullopt;
  return TransportAddress{*IpAddress::FromBytes(*ip), *port};
}

std::size_t EchoAddressSize(uint8_t family) { return family == 4 ? 7 : 19; }

Bytes EncodeEchoFrame(const TransportAddress& address, ByteView datagram) {
  ByteWriter out;
  out.WriteU16(0);
  WriteEchoAddress(out, address);
  out.WriteBytes(datagram);
  out.PatchU16(0, static_cast<uint16_t>(out.size() - 2));
  return out.Take();
}

Result<std::optional<EchoFrame>> TakeEchoFrame(Bytes& buffer) {
  ByteReader in(buffer);
  const auto length = in.ReadU16();
  const auto body = length ? in.ReadBytes(*length) : std::nullopt;
  if (!body) return std::nullopt;
  ByteReader inside(*body);
  const auto address = ReadEchoAddress(inside);
  if (!address) return Fail("a frame without a proper address");
  const ByteView datagram = *inside.ReadBytes(inside.remaining());
  EchoFrame frame{*address, Bytes(datagram.begin(), datagram.end())};
  buffer.erase(buffer.begin(), buffer.begin() + 2 + *length);
  return frame;
}

}  // namespace rtclab::conformance
