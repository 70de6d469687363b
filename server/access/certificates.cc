#include "server/access/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/base/messages.h"
#include "server/base/read_file.h"

namespace hydrophone {
namespace {

constexpr uint64_t kMostFileBytes = uint64_t{4} << 20;

template <typename Object, void (*kFree)(Object*)>
struct Freed {
  void operator()(Object* object) const { kFree(object); }
};
void FreeBio(BIO* bio) { BIO_free(bio); }
using Bio = std::unique_ptr<BIO, Freed<BIO, FreeBio>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;

Bio BioOf(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

// Says that there is no passphrase; OpenSSL's own function would ask the terminal for one.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& pem) {
  std::vector<Certificate> parsed;
  const Bio bio = BioOf(pem);
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) parsed.emplace_back(next);
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (parsed.empty() || !ended) {
    return absl::InvalidArgumentError("got no PEM certificates throughout, expected \"-----BEGIN CERTIFICATE-----\"");
  }
  return parsed;
}

absl::StatusOr<Key> ParseKey(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(BioOf(pem).get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  if (key != nullptr) return key;
  return absl::InvalidArgumentError("got no PEM private key without a passphrase, expected one");
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string SubjectOf(const X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Printable(absl::string_view(text, static_cast<size_t>(size)));
}

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  absl::StatusOr<std::string> text = ReadWholeFile(path, kMostFileBytes);
  if (!text.ok()) return Annotate(text.status(), path);
  return text;
}

absl::Status CheckClientAuthorities(const std::string& path, const std::string& pem) {
  return Annotate(ParseCertificates(pem).status(), path);
}

// Checks the key and the time against the first certificate, which is the server's.
absl::Status CheckServer(const CertificateFiles& files, absl::Time now, CertificateSet* set) {
  const auto chain = ParseCertificates(set->certificate_pem);
  if (!chain.ok()) return Annotate(chain.status(), files.certificate);
  const auto key = ParseKey(set->key_pem);
  if (!key.ok()) return Annotate(key.status(), files.key);
  X509& own = *chain->front();
  set->subject = SubjectOf(own);
  set->valid_until = TimeOf(X509_get0_notAfter(&own));
  if (X509_check_private_key(&own, key->get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat(files.key, ": got another certificate's key, expected that of ", files.certificate));
  }
  const absl::Time from = TimeOf(X509_get0_notBefore(&own));
  if (now >= from && now < set->valid_until) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      files.certificate, ": got a certificate valid from ", absl::FormatTime(from, absl::UTCTimeZone()), " until ",
      absl::FormatTime(set->valid_until, absl::UTCTimeZone()), ", expected one that is valid now"));
}

}  // namespace

absl::StatusOr<CertificateSet> ReadCertificates(const CertificateFiles& files, absl::Time now) {
  CertificateSet set;
  for (const auto& [path, pem] :
       {std::pair(&files.certificate, &set.certificate_pem), std::pair(&files.key, &set.key_pem),
        std::pair(&files.client_ca, &set.client_ca_pem)}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> read = ReadPem(*path);
    if (!read.ok()) return read.status();
    *pem = *std::move(read);
  }
  if (absl::Status server = CheckServer(files, now, &set); !server.ok()) return server;
  if (files.client_ca.empty()) return set;
  if (absl::Status clients = CheckClientAuthorities(files.client_ca, set.client_ca_pem); !clients.ok()) return clients;
  return set;
}

Certificates::Certificates(const CertificateFiles& files, const Clock* clock, OnReload on_reload)
    : files_(files),
      clock_(clock),
      on_reload_(std::move(on_reload)),
      watched_({files.certificate, files.key, files.client_ca}, clock) {}

absl::StatusOr<std::unique_ptr<Certificates>> Certificates::Load(const CertificateFiles& files, const Clock* clock,
                                                                 OnReload on_reload) {
  auto certificates = absl::WrapUnique(new Certificates(files, clock, std::move(on_reload)));
  MutexLock lock(&certificates->mutex_);
  if (absl::Status read = certificates->Read(); !read.ok()) return read;
  return certificates;
}

absl::Status Certificates::Read() {
  absl::StatusOr<CertificateSet> read = ReadCertificates(files_, clock_->Now());
  if (!read.ok()) return read.status();
  current_ = std::make_shared<const CertificateSet>(*std::move(read));
  return absl::OkStatus();
}

std::shared_ptr<const CertificateSet> Certificates::Current() {
  MutexLock lock(&mutex_);
  if (watched_.Changed()) on_reload_(Read());
  return current_;
}

}  // namespace hydrophone
