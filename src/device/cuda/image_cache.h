#pragma once
// Compiled images on disk, by what they were compiled from, and beside them what tuning measured; shared by all
// processes of a user.
//
// The folder is PLANISH_CACHE, else $XDG_CACHE_HOME/planish, else ~/.cache/planish; PLANISH_CACHE set to nothing turns
// it off. Files appear whole, carry a checksum, and may be deleted at any time. When they take more than
// PLANISH_CACHE_MB megabytes (1024), those that were not used for longest go.

#include <optional>
#include <string>

#include "base/hash.h"

namespace planish::cuda {

// The file of timings in the folder `folder`, by a hash of all that they depend on.
std::string timings_file(const std::string& folder, uint64_t hash);
void mark_used(const std::string& file) noexcept;  // now; those that were not used for longest go first

// Made when it is asked for; empty: there is none, or it cannot be made.
std::string cache_folder();

std::optional<std::string> cached_image(const Hash128& key);  // nothing: it is not there, or damaged
void cache_image(const Hash128& key, const std::string& image) noexcept;

}  // namespace planish::cuda
