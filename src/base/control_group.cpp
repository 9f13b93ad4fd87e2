#include "base/control_group.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

namespace planish {
namespace {

constexpr int kUnlimited = 1 << 20;

int whole_cores(double quota, double period) {
  if (quota <= 0 || period <= 0) return kUnlimited;
  return static_cast<int>(std::clamp(std::ceil(quota / period), 1.0, static_cast<double>(kUnlimited)));
}

int cores_of_folder(const std::string& folder) {
  std::string quota;
  double period = 0;
  if (std::ifstream v2(folder + "/cpu.max"); v2 >> quota >> period && quota != "max")
    return whole_cores(std::strtod(quota.c_str(), nullptr), period);
  double limit = -1;
  std::ifstream v1(folder + "/cpu.cfs_quota_us"), v1_period(folder + "/cpu.cfs_period_us");
  return v1 >> limit && v1_period >> period ? whole_cores(limit, period) : kUnlimited;
}

}  // namespace

int cores_of_control_groups(const std::string& root, const std::string& membership) {
  int cores = std::min(cores_of_folder(root), cores_of_folder(root + "/cpu"));
  std::ifstream groups(membership);
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool v2 = controllers == ",,";
    if (!v2 && controllers.find(",cpu,") == std::string::npos) continue;
    const std::string mount = v2 ? root : root + "/cpu";
    for (std::string path = line.substr(second + 1); path.size() > 1 && path[0] == '/'; path.resize(path.rfind('/')))
      cores = std::min(cores, cores_of_folder(mount + path));
  }
  return cores;
}

}  // namespace planish
