// WriteFailureCaptures() of report.h.
#include <fmt/format.h>

#include <optional>
#include <system_error>

#include "conformance/report/packet_synthesis.h"
#include "conformance/report/report.h"
#include "results/report/terminal.h"
#include "results/whole_file.h"
#include "stack/base/pcapng.h"

namespace rtclab::conformance {
namespace {

std::string CaptureComment(const CaseResult& result) {
  std::string text = fmt::format("{}: {}", result.test_case->id, ToString(result.verdict.outcome));
  if (!result.verdict.expected.empty()) text += "; expected " + result.verdict.expected;
  if (!result.verdict.actual.empty()) text += "; actual " + result.verdict.actual;
  if (!result.verdict.reason.empty()) text += "; " + result.verdict.reason;
  return results::Printable(text);
}

std::string PacketComment(const Packet& packet, const std::string& notes) {
  std::string text = notes;
  const auto add = [&text](std::string_view more) {
    if (!text.empty()) text += "; ";
    text += more;
  };
  add(packet.who);
  if (packet.transport == Transport::kTls || packet.transport == Transport::kDtls) {
    add(fmt::format("in clear here, inside {} to {}", ToString(packet.transport),
                    packet.remote.ToString()));
  }
  if (!packet.note.empty()) add(packet.note);
  return results::Printable(text);
}

// The packets of one case; nullopt when there is none to show. Notes stand at the packet that follows them, those behind the last
// packet in the section's comment.
std::optional<Bytes> CaptureOf(const CaseResult& result) {
  PacketSynthesis synthesis;
  Bytes packets;
  std::string notes;
  for (const Packet& packet : result.exchange) {
    if (packet.bytes.empty() && !packet.note.empty()) {
      notes += (notes.empty() ? "" : "; ") + packet.note;
      continue;
    }
    const auto direction = packet.sent ? pcapng::Direction::kOutbound : pcapng::Direction::kInbound;
    for (const Bytes& ip : synthesis.Build(packet)) {
      const auto time_ns = static_cast<uint64_t>(std::max<int64_t>(packet.at.nanos(), 0));
      const Bytes block =
          pcapng::EnhancedPacket(0, time_ns, direction, ip, PacketComment(packet, notes));
      packets.insert(packets.end(), block.begin(), block.end());
      notes.clear();
    }
  }
  if (packets.empty()) return std::nullopt;
  std::string comment = CaptureComment(result);
  if (!notes.empty()) comment += "; at the end: " + results::Printable(notes);
  Bytes file = pcapng::SectionHeader("rtclab", comment);
  const Bytes interface = pcapng::InterfaceDescription("server");
  file.insert(file.end(), interface.begin(), interface.end());
  file.insert(file.end(), packets.begin(), packets.end());
  return file;
}

}  // namespace

Result<void> CheckCaptureDirectory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Fail(directory.string() + ": " + error.message());
  return results::CheckOutput(directory / "capture.pcapng");
}

Result<void> WriteFailureCaptures(const RunReport& report, const std::filesystem::path& directory) {
  if (auto possible = CheckCaptureDirectory(directory); !possible) return possible;
  for (const CaseResult& result : report.results) {
    if (!HasEvidence(result)) continue;
    const auto capture = CaptureOf(result);
    if (!capture) continue;
    const auto path = directory / (std::string(result.test_case->id) + ".pcapng");
    if (auto written = results::WriteWholeFile(path, AsString(*capture)); !written) return written;
  }
  return {};
}

}  // namespace rtclab::conformance
