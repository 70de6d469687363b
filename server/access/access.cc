#include "server/access/access.h"

#include <openssl/crypto.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/access/bearer.h"
#include "server/base/messages.h"
#include "server/base/read_file.h"
#include "server/base/sha256.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

constexpr uint64_t kMostFileBytes = uint64_t{16} << 20;

}  // namespace

Permit::Permit(Caller caller, std::shared_ptr<Account> account)
    : caller_(std::move(caller)), account_(std::move(account)) {}

Permit::~Permit() { End(); }

absl::Status Permit::Take(uint64_t tokens, uint64_t bytes) {
  MutexLock lock(&mutex_);
  if (account_ == nullptr) return absl::OkStatus();
  absl::Status taken = account_->Take(tokens, bytes);
  if (taken.ok()) bytes_ += bytes;
  return taken;
}

void Permit::End() {
  MutexLock lock(&mutex_);
  if (account_ != nullptr) account_->Leave(bytes_);
  account_ = nullptr;
}

absl::StatusOr<std::unique_ptr<Access>> Access::Load(const std::string& path, const Clock* clock, OnReload on_reload) {
  auto access = absl::make_unique<Access>();
  access->path_ = path;
  access->clock_ = clock;
  access->on_reload_ = std::move(on_reload);
  access->watched_ = absl::make_unique<WatchedFiles>(std::vector<std::string>{path}, clock);
  MutexLock lock(&access->mutex_);
  if (absl::Status read = access->Read(); !read.ok()) return read;
  return access;
}

size_t Access::tokens() const {
  MutexLock lock(&mutex_);
  return entries_.size();
}

absl::Status Access::Read() {
  const absl::StatusOr<std::string> text = ReadWholeFile(path_, kMostFileBytes);
  if (!text.ok()) return Annotate(text.status(), path_);
  absl::StatusOr<std::vector<Token>> tokens = ParseTokenFile(*text);
  if (!tokens.ok()) return Annotate(tokens.status(), path_);
  const auto before = std::exchange(accounts_, {});
  entries_.clear();
  for (Token& token : *tokens) {
    const TokenHolder& holder = token.holder;
    std::shared_ptr<Account>& account = accounts_[holder.name];
    if (account == nullptr) {
      const auto known = before.find(holder.name);
      account = known != before.end() ? known->second : std::make_shared<Account>(holder.name, holder.limits, clock_);
      account->SetLimits(holder.limits);
    }
    entries_.push_back({std::move(token), account});
  }
  return absl::OkStatus();
}

void Access::ReadAgainIfChanged() {
  if (watched_->Changed()) on_reload_(Read());
}

const Access::Entry* Access::Find(const std::string& sha256) const {
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.token.sha256.data(), sha256.data(), sha256.size()) == 0) found = &entry;
  }
  return found;
}

absl::StatusOr<std::unique_ptr<Permit>> Access::Admit(absl::Span<const absl::string_view> authorization,
                                                      absl::string_view peer, Role role) {
  if (!has_tokens()) return absl::make_unique<Permit>(Caller{.name = std::string(peer)}, nullptr);
  const absl::StatusOr<absl::string_view> token = BearerToken(authorization);
  if (!token.ok()) return token.status();
  const std::string sha256 = Sha256Hex(*token);
  MutexLock lock(&mutex_);
  ReadAgainIfChanged();
  const Entry* entry = Find(sha256);
  if (entry == nullptr)
    return Unauthenticated("UNKNOWN_TOKEN", "authorization: got a token that this server does not know");
  const TokenHolder& holder = entry->token.holder;
  if (holder.role < role) {
    return RoleMissing(absl::StrCat("got a token of ", holder.name, ", whose role is use; expected one with operate"));
  }
  if (absl::Status entered = entry->account->Enter(); !entered.ok()) return entered;
  return absl::make_unique<Permit>(Caller{.name = holder.name, .weight = holder.weight}, entry->account);
}

}  // namespace hydrophone
