// An audio jitter buffer: packets in as they come, one frame out every 20 ms (or what the packets
// last), with concealment for what is missing and a delay that follows the network.
#ifndef RTCLAB_STACK_MEDIA_AUDIO_PLAYOUT_H_
#define RTCLAB_STACK_MEDIA_AUDIO_PLAYOUT_H_

#include <cstdint>
#include <map>
#include <optional>

#include "stack/base/units.h"
#include "stack/media/config.h"
#include "stack/media/delay_estimator.h"

namespace rtclab::media {

struct AudioFrame {
  int64_t sequence = 0;   // unwrapped
  int64_t timestamp = 0;  // unwrapped, in samples
  Timestamp arrived;
  int64_t samples = 0;         // duration
  bool comfort_noise = false;  // a frame of discontinuous transmission: silence follows
  uint8_t level = 127;         // -dBov
  std::optional<Timestamp> captured;
};

// In short, and after NetEq's ways:
//  * a frame that is there is played; its delay is what the buffer cost it;
//  * nothing there at all: conceal, and time waits for the frame (the delay grows);
//  * a hole before a later frame: conceal, and the frame of the hole is lost;
//  * comfort noise was last: noise until a frame comes, nothing is concealed;
//  * delay above the target: frames are played up to a quarter faster, below: slower.
// After a second without a packet it rests until the next one.
class AudioPlayout {
 public:
  struct Counters {
    uint64_t samples_received = 0;  // totalSamplesReceived: played, concealed and noise
    uint64_t concealed_samples = 0;
    uint64_t silent_concealed_samples = 0;
    uint64_t concealment_events = 0;
    uint64_t inserted_samples = 0;
    uint64_t removed_samples = 0;
    uint64_t packets_discarded = 0;
    uint64_t emitted_samples = 0;
    double delay = 0;  // seconds, summed over samples, as are the next two
    double target_delay = 0;
    double minimum_delay = 0;
    double processing_delay = 0;
    double energy = 0;  // of RFC 6464 levels: seconds times the square of the linear level
    double level = 0;   // of the last frame, linear
    double end_to_end_delay = 0;  // seconds, summed over frames
    double end_to_end_delay_max = 0;
    uint64_t end_to_end_count = 0;
    std::optional<Timestamp> first_played;
  };

  AudioPlayout(const PlayoutConfig& config, uint32_t clock_rate);
  void Insert(Timestamp now, const AudioFrame& frame);
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const { return next_tick_; }
  const Counters& counters() const { return counters_; }
  // The delay aimed at, with the configured limits.
  TimeDelta target_delay() const;

 private:
  TimeDelta MediaTime(int64_t samples) const;
  void Tick(Timestamp now);
  void Play(Timestamp now, const AudioFrame& frame);
  void Conceal(bool silent);
  void Noise();
  TimeDelta Stretch(Timestamp now, const AudioFrame& frame);

  const PlayoutConfig config_;
  const int64_t clock_rate_;
  DelayEstimator estimator_;
  std::map<int64_t, AudioFrame> frames_;  // by timestamp; a handful
  Timestamp next_tick_ = Timestamp::PlusInfinity();
  Timestamp last_arrival_;
  int64_t next_timestamp_ = 0;  // of the frame due at next_tick_
  int64_t frame_samples_ = 0;
  std::optional<int64_t> last_played_;
  bool in_noise_ = false;
  int concealed_in_row_ = 0;
  Counters counters_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_AUDIO_PLAYOUT_H_
