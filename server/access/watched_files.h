// Files that may be replaced while the server runs.
#ifndef HYDROPHONE_SERVER_ACCESS_WATCHED_FILES_H_
#define HYDROPHONE_SERVER_ACCESS_WATCHED_FILES_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/sched/clock.h"

namespace hydrophone {

// Says when files look different: another inode, size or time of change, or none where one was. One thread at a time.
class WatchedFiles {
 public:
  // Paths that are empty are left out. `clock` outlives this.
  WatchedFiles(std::vector<std::string> paths, const Clock* clock);

  // Whether a file has changed since the last call that said so, or since the construction. Looks at most once a
  // second; in between, the answer is no.
  bool Changed();

 private:
  std::vector<std::string> Look() const;

  const std::vector<std::string> paths_;
  const Clock* const clock_;
  std::vector<std::string> seen_;  // what each file looked like
  absl::Time next_look_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ACCESS_WATCHED_FILES_H_
