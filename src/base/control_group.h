#pragma once
// How much of the processors the system grants this process.

#include <string>

namespace planish {

// Whole cores that the quotas of the process's control group and of the groups around it allow, both versions; a large
// number where nothing is limited. `root`: where they are mounted; `membership`: the file that names the process's own.
int cores_of_control_groups(const std::string& root = "/sys/fs/cgroup",
                            const std::string& membership = "/proc/self/cgroup");

}  // namespace planish
