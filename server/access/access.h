// Whether a call may be made, on whose behalf, and what it may take.
//
// clang-format off
//   authorization, peer, role ─► Access::Admit ─► Permit, held by the call as long as it is open
//                                  │                 └─► Account of the caller's name: what all its calls have taken
//                                  └─► the token file, read again when it changes
// clang-format on
#ifndef HYDROPHONE_SERVER_ACCESS_ACCESS_H_
#define HYDROPHONE_SERVER_ACCESS_ACCESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/access/account.h"
#include "server/access/token_file.h"
#include "server/access/watched_files.h"
#include "server/base/mutex.h"
#include "server/core/caller.h"
#include "server/sched/clock.h"

namespace hydrophone {

// One call's leave to be made. Thread-safe.
class Permit {
 public:
  // `account`, which has let the call enter; null: no limits.
  Permit(Caller caller, std::shared_ptr<Account> account);
  // Ends it.
  ~Permit();
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

  const Caller& caller() const { return caller_; }

  // Takes so many tokens to be computed, and bytes of captures until the permit ends. As Account::Take.
  absl::Status Take(uint64_t tokens, uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Gives back what the call has taken of its caller's limits. To be called before the caller learns that the call is
  // over, so that the caller's next one finds room. Afterwards nothing is taken any more.
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const Caller caller_;
  Mutex mutex_;
  std::shared_ptr<Account> account_ ABSL_GUARDED_BY(mutex_);  // null: no limits, or ended
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Thread-safe.
class Access {
 public:
  // Told of each change of the token file: OK, or why the tokens from before stay in force. Called with a mutex held:
  // it does not call back.
  using OnReload = std::function<void(const absl::Status& status)>;

  // Lets every caller do everything: there are no tokens.
  Access() = default;
  // Lets holders of the file's tokens do what their roles say. Errors of the file, with its path, as ReadWholeFile's
  // and ParseTokenFile's. `clock` outlives this.
  static absl::StatusOr<std::unique_ptr<Access>> Load(const std::string& path, const Clock* clock, OnReload on_reload);

  bool has_tokens() const { return watched_ != nullptr; }
  // How many tokens are in force.
  size_t tokens() const ABSL_LOCKS_EXCLUDED(mutex_);

  // A call by `peer` that needs `role` begins. `authorization`: the values of its metadata of that name. With a token
  // file, the caller's name and weight are its token's; without one, its name is the peer. UNAUTHENTICATED: NO_TOKEN,
  // BAD_TOKEN, UNKNOWN_TOKEN; PERMISSION_DENIED: ROLE; RESOURCE_EXHAUSTED as Account::Enter.
  absl::StatusOr<std::unique_ptr<Permit>> Admit(absl::Span<const absl::string_view> authorization,
                                                absl::string_view peer, Role role) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    Token token;
    std::shared_ptr<Account> account;
  };

  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadAgainIfChanged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The entry with this digest; null when there is none. Takes the same time for every digest.
  const Entry* Find(const std::string& sha256) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::string path_;
  const Clock* clock_ = nullptr;
  OnReload on_reload_;
  mutable Mutex mutex_;
  std::unique_ptr<WatchedFiles> watched_;  // null: no tokens; what it points to is used with mutex_ held
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Account>> accounts_ ABSL_GUARDED_BY(mutex_);  // by name
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ACCESS_ACCESS_H_
