// Writes one pcapng file (draft-ietf-opsawg-pcapng): an interface a link, raw IP packets, virtual
// time. The same packets give the same bytes.
#ifndef RTCLAB_SIM_CAPTURE_PCAPNG_WRITER_H_
#define RTCLAB_SIM_CAPTURE_PCAPNG_WRITER_H_

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "sim/trace/wire_tap.h"
#include "stack/base/error.h"

namespace rtclab::sim {

class PcapngWriter final : public WireTap {
 public:
  // Where virtual time zero is on the capture's clock: 2020-01-01T00:00:00Z.
  static constexpr int64_t kEpochSeconds = 1'577'836'800;

  // Writes to `path` + ".partial" until Finish().
  static Result<std::unique_ptr<PcapngWriter>> Create(const std::filesystem::path& path);
  // Without Finish() nothing is left behind.
  ~PcapngWriter() override;
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  // Interfaces are numbered in the order they are first named; declare those that shall be there
  // without a packet, or in a certain order.
  void AddInterface(std::string_view name) { InterfaceId(name); }
  void OnPacket(std::string_view interface, TapDirection direction, Timestamp now, ByteView packet,
                std::string_view comment) override;
  // A line of an NSS key log ("CLIENT_RANDOM ..."), without line end: Wireshark decrypts what is captured with the secrets that
  // the file itself holds. They stand before the first packet, whenever they come.
  void AddSecret(std::string_view line);
  // Gives the file its name. Fails when anything could not be written; then there is no file.
  Result<void> Finish();

 private:
  PcapngWriter(std::FILE* file, std::filesystem::path path, std::filesystem::path partial);

  uint32_t InterfaceId(std::string_view name);
  void Failed();
  void WriteBlock(ByteView block);
  bool PutSecretsFirst();

  std::FILE* file_;
  std::filesystem::path path_, partial_;
  std::map<std::string, uint32_t, std::less<>> interfaces_;
  std::string secrets_;
  int error_ = 0;  // errno of the first failure
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_CAPTURE_PCAPNG_WRITER_H_
