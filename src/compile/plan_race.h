#pragma once
// Plans of one network, run as a whole and in turns: parts that are faster need not be a faster whole.

#include <functional>
#include <vector>

#include "device/device.h"
#include "plan/plan.h"

namespace planish {

// Before round `round` of at most `most`, `seconds` after the first: false ends the race, but for round 0. May throw.
using RaceRound = std::function<bool(int round, int most, double seconds)>;

// The least microseconds of each. What running them throws comes through.
std::vector<double> race(Device& device, const std::vector<const Plan*>& plans, const RaceRound& next);

}  // namespace planish
