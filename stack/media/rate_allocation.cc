#include "stack/media/rate_allocation.h"

#include <algorithm>
#include <array>

namespace rtclab::media {
namespace {

constexpr FormatRates Row(int width, int height, int64_t max, int64_t target, int64_t min) {
  return {width, height, DataRate::KilobitsPerSec(max), DataRate::KilobitsPerSec(target),
          DataRate::KilobitsPerSec(min)};
}

constexpr std::array kFormats = {
    Row(1920, 1080, 5000, 4000, 800), Row(1280, 720, 2500, 2500, 600),
    Row(960, 540, 1200, 1200, 350),   Row(640, 360, 700, 500, 150),
    Row(480, 270, 450, 350, 150),     Row(320, 180, 200, 150, 30),
};

// Eighths of the source's width and height, from large to small.
constexpr std::array kSizeSteps = {8, 6, 4, 3, 2};
constexpr int kUpMarginPercent = 125;

PictureSize Scaled(PictureSize source, int eighths) {
  // Even, as 4:2:0 chroma wants it.
  return {std::max(2, source.width * eighths / 8 & ~1),
          std::max(2, source.height * eighths / 8 & ~1)};
}

DataRate Least(DataRate a, DataRate b) { return a < b ? a : b; }

DataRate Minus(DataRate a, DataRate b) { return DataRate::BitsPerSec(a.bps() - b.bps()); }

}  // namespace

FormatRates RatesForFormat(int width, int height) {
  for (const FormatRates& row : kFormats) {
    if (row.width * row.height <= width * height) return row;
  }
  return kFormats.back();
}

std::vector<DataRate> AllocateLayers(DataRate total, std::span<const LayerDemand> layers) {
  std::vector<DataRate> rates(layers.size());
  if (total.bps() <= 0) return rates;
  DataRate left = total;
  bool lowest = true;
  std::size_t on = 0;  // layers before this one have their minimum
  for (; on < layers.size(); ++on) {
    if (!layers[on].active) continue;
    if (layers[on].min > left && !lowest) break;
    rates[on] = layers[on].min;
    left = Minus(left, Least(left, layers[on].min));
    lowest = false;
  }
  std::size_t top = layers.size();
  for (std::size_t i = 0; i < on; ++i) {
    if (!layers[i].active) continue;
    const DataRate more = Least(left, Minus(std::max(layers[i].target, rates[i]), rates[i]));
    rates[i] = DataRate::BitsPerSec(rates[i].bps() + more.bps());
    left = Minus(left, more);
    top = i;
  }
  if (top < layers.size()) {
    const DataRate more = Least(left, Minus(std::max(layers[top].max, rates[top]), rates[top]));
    rates[top] = DataRate::BitsPerSec(rates[top].bps() + more.bps());
  }
  return rates;
}

PictureSize AdaptPicture(PictureSize source, PictureSize current, DataRate rate) {
  std::size_t step = 0;
  while (step + 1 < kSizeSteps.size() && Scaled(source, kSizeSteps[step]) != current &&
         Scaled(source, kSizeSteps[step]).width > current.width) {
    ++step;
  }
  const auto min_rate = [&](std::size_t s) {
    const PictureSize size = Scaled(source, kSizeSteps[s]);
    return RatesForFormat(size.width, size.height).min;
  };
  while (step + 1 < kSizeSteps.size() && rate < min_rate(step)) ++step;
  while (step > 0 && rate.bps() * 100 >= min_rate(step - 1).bps() * kUpMarginPercent) --step;
  return step == 0 ? source : Scaled(source, kSizeSteps[step]);
}

}  // namespace rtclab::media
