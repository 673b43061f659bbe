// The parts of LoadRun, seen only by its own files.
#ifndef RTCLAB_CONFORMANCE_LOAD_LOAD_RUN_IMPL_H_
#define RTCLAB_CONFORMANCE_LOAD_LOAD_RUN_IMPL_H_

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "conformance/load/knee_search.h"
#include "conformance/load/load_run.h"
#include "stack/turn/five_tuple.h"

namespace rtclab::conformance {

struct LoadRun::Impl {
  enum class Phase : uint8_t { kOpening, kBinding, kSending, kSettling, kReleasing, kDone };

  Impl(LoadPlan p, std::function<void(const std::string&)> on_progress);

  LoadReport Run();
  Timestamp AfterRound(Timestamp now);

  // Allocations, channels, and their end (load_run.cc).
  Result<void> OpenPeers();
  void StartClients();
  void StartClient(std::size_t index);
  void HandleEvent(std::size_t index, turn::ClientEvent&& event);
  void HandleOpened(std::size_t index);
  void HandleOpenFailure(std::size_t index, const std::string& reason);
  void CheckBroken();
  void BindChannels(Timestamp now);
  void Release(Timestamp now);
  void RunTimers(Timestamp now);
  void End(std::string why, bool complete);
  TransportAddress PeerOf(std::size_t index) const;
  std::string ProgressLine(Timestamp now) const;

  // Traffic (load_traffic.cc).
  void StartStep(Timestamp now, double packets_per_s);
  void SendDue(Timestamp now);
  void SendOne(Timestamp now, std::size_t index, bool to_peer);
  void HandlePayload(Timestamp now, ByteView payload);
  void ReadPeer(UdpSocket& socket, EventLoop::Ready ready);
  void FinishStep(Timestamp now);
  void NextStep(Timestamp now);
  Bytes MakePayload(Timestamp now);

  LoadPlan plan;
  std::function<void(const std::string&)> progress;
  Rng rng;
  EventLoop loop;
  SendBatch batch;
  ReceiveBatch received;
  LoadReport report;
  Phase phase = Phase::kOpening;
  std::optional<TimeDelta> cpu_before;  // of the server, when the step began
  Timestamp began, phase_began, next_timers, next_progress;

  struct Slot {
    std::unique_ptr<LoadClient> client;
    bool opened = false, failed = false;
    bool bound = false;  // the channel is there, or will never be
    bool usable = false;
    bool lost = false;  // the connection, after the allocation
  };
  std::vector<Slot> slots;
  std::size_t next_to_open = 0;
  int opening = 0;
  Timestamp last_opened;
  std::vector<std::unique_ptr<UdpSocket>> peers;
  std::vector<std::size_t> senders;  // slots with a channel

  // The present step.
  uint64_t magic = 0;
  Bytes filler;
  uint64_t total_sent = 0;
  std::size_t next_sender = 0;
  KneeSearch search{plan};  // of a ramp
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_LOAD_RUN_IMPL_H_
