// Who gets how much of the controller's target, and which picture size a rate is worth.
#ifndef RTCLAB_STACK_MEDIA_RATE_ALLOCATION_H_
#define RTCLAB_STACK_MEDIA_RATE_ALLOCATION_H_

#include <span>
#include <vector>

#include "stack/base/units.h"

namespace rtclab::media {

// What one VP8 encoder needs at a picture size: below `min` the picture is not worth sending, above
// `max` it gets no better, and `target` is what a layer gets before the next one up gets anything.
struct FormatRates {
  int width = 0;
  int height = 0;
  DataRate max;
  DataRate target;
  DataRate min;
};

// The table for VP8 that libwebrtc is deployed with (media/engine/simulcast.cc), nearest size of at
// most as many pixels; below the smallest row, that row.
//
//   width x height   max    target   min   kbit/s
//   1920 x 1080     5000     4000    800
//   1280 x  720     2500     2500    600
//    960 x  540     1200     1200    350
//    640 x  360      700      500    150
//    480 x  270      450      350    150
//    320 x  180      200      150     30
FormatRates RatesForFormat(int width, int height);

struct LayerDemand {
  DataRate min;
  DataRate target;
  DataRate max;
  bool active = true;
};

// Simulcast (as deployed): from the lowest layer up each active layer gets its minimum, or nothing
// if that is no longer there, then from the lowest up its target, and what is left goes to the
// highest layer that is on, up to its maximum. The lowest active layer gets its minimum even if
// `total` is less, as long as `total` is not zero. `layers` go from the lowest resolution to the
// highest.
std::vector<DataRate> AllocateLayers(DataRate total, std::span<const LayerDemand> layers);

struct PictureSize {
  int width = 0;
  int height = 0;
  bool operator==(const PictureSize&) const = default;
};

// The size that a single encoder shall use at `rate` for a source of `source` size, now at
// `current`: steps of 3/4 and 2/3 in turn (so 1, 3/4, 1/2, 3/8, 1/4 as deployed). It goes down when
// the rate is below the minimum of the present size, and up when it covers 1.25 times the minimum
// of the next larger size, which keeps it from going to and fro. Never below 1/4 of the source.
PictureSize AdaptPicture(PictureSize source, PictureSize current, DataRate rate);

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_RATE_ALLOCATION_H_
