#include "server/access/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fakes/fake_clock.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

struct Pems {
  std::string certificate;
  std::string key;
};

std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<size_t>(size));
  BIO_free(bio);
  return copy;
}

// A certificate that signs itself, valid for an hour around `now`.
Pems Make(const std::string& name, absl::Time now) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(now - absl::Minutes(30)));
  ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(now + absl::Minutes(30)));
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, subject);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* certificate_pem = BIO_new(BIO_s_mem());
  BIO* key_pem = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_pem, certificate);
  PEM_write_bio_PrivateKey(key_pem, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {TextOf(certificate_pem), TextOf(key_pem)};
}

class CertificatesTest : public testing::Test {
 protected:
  CertificatesTest() { std::filesystem::create_directories(directory_); }
  ~CertificatesTest() override { std::filesystem::remove_all(directory_); }

  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path + ".next") << text;
    std::filesystem::rename(path + ".next", path);
  }

  std::unique_ptr<Certificates> Load() {
    auto loaded = Certificates::Load(files_, &clock_, [this](const absl::Status& each) { reloads_.push_back(each); });
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return *std::move(loaded);
  }

  std::string Refusal(absl::Duration later = absl::ZeroDuration()) const {
    return std::string(ReadCertificates(files_, clock_.Now() + later).status().message());
  }

  const std::string directory_ = absl::StrCat(testing::TempDir(), "/certificates_test_",
                                              testing::UnitTest::GetInstance()->current_test_info()->name());
  FakeClock clock_;
  const Pems one_ = Make("one", clock_.Now());
  const Pems two_ = Make("two", clock_.Now());
  CertificateFiles files_{directory_ + "/tls.crt", directory_ + "/tls.key", ""};
  std::vector<absl::Status> reloads_;
};

TEST_F(CertificatesTest, APairIsReadWithItsSubjectAndEnd) {
  Write(files_.certificate, one_.certificate + two_.certificate);  // a chain: the first is the server's
  Write(files_.key, one_.key);
  const auto set = Load()->Current();
  EXPECT_EQ(set->subject, "CN=one");
  EXPECT_EQ(set->valid_until, clock_.Now() + absl::Minutes(30));
  EXPECT_EQ(set->key_pem, one_.key);
  EXPECT_EQ(set->client_ca_pem, "");
}

TEST_F(CertificatesTest, WhatIsWrongNamesTheFile) {
  EXPECT_EQ(Refusal(), files_.certificate + ": no such file");
  Write(files_.certificate, one_.certificate);
  EXPECT_EQ(Refusal(), files_.key + ": no such file");
  Write(files_.key, two_.key);
  EXPECT_THAT(Refusal(),
              HasSubstr(files_.key + ": got another certificate's key, expected that of " + files_.certificate));
  Write(files_.key, "not a key");
  EXPECT_THAT(Refusal(), HasSubstr(files_.key + ": got no PEM private key"));
  Write(files_.key, one_.key);
  Write(files_.certificate, one_.certificate.substr(0, one_.certificate.size() / 2));
  EXPECT_THAT(Refusal(), HasSubstr(files_.certificate + ": got no PEM certificates"));
  Write(files_.certificate, one_.certificate + two_.certificate.substr(0, 100));
  EXPECT_THAT(Refusal(), HasSubstr(files_.certificate + ": got no PEM certificates"));
  Write(files_.certificate, one_.certificate);
  EXPECT_EQ(Refusal(), "");
  files_.client_ca = directory_ + "/ca.crt";
  EXPECT_EQ(Refusal(), files_.client_ca + ": no such file");
  Write(files_.client_ca, "no certificate");
  EXPECT_THAT(Refusal(), HasSubstr(files_.client_ca + ": got no PEM certificates"));
}

TEST_F(CertificatesTest, ACertificateMustBeValidNow) {
  Write(files_.certificate, one_.certificate);
  Write(files_.key, one_.key);
  EXPECT_EQ(Refusal(), "");
  EXPECT_THAT(Refusal(absl::Hours(1)), HasSubstr("expected one that is valid now"));
  EXPECT_THAT(Refusal(-absl::Hours(1)), HasSubstr("expected one that is valid now"));
}

TEST_F(CertificatesTest, AHalfReplacedPairKeepsTheOldOneUntilItIsWhole) {
  Write(files_.certificate, one_.certificate);
  Write(files_.key, one_.key);
  const auto certificates = Load();
  const auto before = certificates->Current();
  Write(files_.certificate, two_.certificate);
  EXPECT_EQ(certificates->Current(), before) << "looked at most once a second";
  EXPECT_TRUE(reloads_.empty());
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(1));
    EXPECT_EQ(certificates->Current(), before);
  }
  ASSERT_EQ(reloads_.size(), 1u);
  EXPECT_THAT(std::string(reloads_[0].message()), HasSubstr("another certificate's key"));
  Write(files_.key, two_.key);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(certificates->Current()->subject, "CN=two");
  EXPECT_TRUE(reloads_.back().ok());
}

TEST_F(CertificatesTest, ClientsAuthoritiesAreReadAgainToo) {
  Write(files_.certificate, one_.certificate);
  Write(files_.key, one_.key);
  files_.client_ca = directory_ + "/ca.crt";
  Write(files_.client_ca, one_.certificate);
  const auto certificates = Load();
  Write(files_.client_ca, two_.certificate);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(certificates->Current()->client_ca_pem, two_.certificate);
}

}  // namespace
}  // namespace hydrophone
