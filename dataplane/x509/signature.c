/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/signature.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include "x509/der.h"

#define RSA_OCTETS_MAX (RSA_MAX_SIZE / 8)

static const struct {
    enum wc_HashType hash;
    int mgf;
    uint8_t size;
    uint8_t prefix_length;
    uint8_t prefix[19]; /* DigestInfo up to the digest (RFC 8017 §9.2, note 1) */
} digests[] = {
    [X509_DIGEST_SHA1] = {WC_HASH_TYPE_SHA,
                          WC_MGF1SHA1,
                          20,
                          15,
                          {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}},
    [X509_DIGEST_SHA256] = {WC_HASH_TYPE_SHA256,
                            WC_MGF1SHA256,
                            32,
                            19,
                            {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
                             0x05, 0x00, 0x04, 0x20}},
    [X509_DIGEST_SHA384] = {WC_HASH_TYPE_SHA384,
                            WC_MGF1SHA384,
                            48,
                            19,
                            {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
                             0x05, 0x00, 0x04, 0x30}},
    [X509_DIGEST_SHA512] = {WC_HASH_TYPE_SHA512,
                            WC_MGF1SHA512,
                            64,
                            19,
                            {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
                             0x05, 0x00, 0x04, 0x40}},
};

enum assay_error x509_digest_make(enum x509_digest kind, struct slice message, struct x509_digest_value *out)
{
    if (kind < X509_DIGEST_SHA1)
        return ASSAY_ERR_UNSUPPORTED;
    out->size = digests[kind].size;
    if (wc_Hash(digests[kind].hash, message.data, (word32)message.len, out->bytes, (word32)out->size) != 0)
        return ASSAY_ERR_CRYPTO;
    return ASSAY_OK;
}

/* Of wolfCrypt's failures, only those of the machine are not "wrong signature". */
static enum assay_error wolf_failure(int code)
{
    return code == MEMORY_E ? ASSAY_ERR_NO_MEMORY : ASSAY_ERR_REFUSED;
}

static enum assay_error pkcs1_check(RsaKey *key, enum x509_digest kind, const struct x509_digest_value *digest,
                                    struct slice signature)
{
    uint8_t plain[RSA_OCTETS_MAX];
    size_t prefix = digests[kind].prefix_length;
    int length = wc_RsaSSL_Verify(signature.data, (word32)signature.len, plain, sizeof(plain), key);

    if (length < 0)
        return wolf_failure(length);
    if ((size_t)length != prefix + digest->size || memcmp(plain, digests[kind].prefix, prefix) != 0 ||
        memcmp(plain + prefix, digest->bytes, digest->size) != 0)
        return ASSAY_ERR_REFUSED;
    return ASSAY_OK;
}

static enum assay_error pss_check(RsaKey *key, enum x509_digest kind, uint16_t salt_bytes,
                                  const struct x509_digest_value *digest, struct slice signature)
{
    uint8_t plain[RSA_OCTETS_MAX];
    byte *found = NULL;
    int length;

    memcpy(plain, signature.data, signature.len); /* checked: as long as the key */
    length = wc_RsaPSS_VerifyInline_ex(plain, (word32)signature.len, &found, digests[kind].hash, digests[kind].mgf,
                                       salt_bytes, key);
    if (length < 0)
        return wolf_failure(length);
    length = wc_RsaPSS_CheckPadding_ex(digest->bytes, (word32)digest->size, found, (word32)length, digests[kind].hash,
                                       salt_bytes, wc_RsaEncryptSize(key) * 8);
    return length == 0 ? ASSAY_OK : wolf_failure(length);
}

static enum assay_error rsa_check(const struct x509_digest_value *digest,
                                  const struct x509_signature_algorithm *algorithm, struct slice signature,
                                  const struct x509_key *signer)
{
    RsaKey key;
    enum assay_error error;

    if (signature.len != signer->rsa_n.len)
        return ASSAY_ERR_REFUSED;
    if (signature.len > RSA_OCTETS_MAX)
        return ASSAY_ERR_UNSUPPORTED;
    if (wc_InitRsaKey_ex(&key, NULL, INVALID_DEVID) != 0)
        return ASSAY_ERR_CRYPTO;
    if (wc_RsaPublicKeyDecodeRaw(signer->rsa_n.data, (word32)signer->rsa_n.len, signer->rsa_e.data,
                                 (word32)signer->rsa_e.len, &key) != 0)
        error = ASSAY_ERR_UNSUPPORTED;
    else if (algorithm->kind == X509_SIGNATURE_RSA_PSS)
        error = pss_check(&key, algorithm->digest, algorithm->salt_bytes, digest, signature);
    else
        error = pkcs1_check(&key, algorithm->digest, digest, signature);
    wc_FreeRsaKey(&key);
    return error;
}

/* ECDSA-Sig-Value (RFC 3279 §2.2.3): two positive integers, in strict DER, no longer than the order. */
static bool ecdsa_value_is_good(struct slice value, size_t order_octets)
{
    struct slice pair, r, s;

    return der_read(&value, DER_SEQUENCE, &pair) == ASSAY_OK && value.len == 0 &&
           der_read_unsigned(&pair, &r) == ASSAY_OK && der_read_unsigned(&pair, &s) == ASSAY_OK && pair.len == 0 &&
           r.len > 0 && s.len > 0 && r.len <= order_octets && s.len <= order_octets;
}

static enum assay_error ecdsa_check(const struct x509_digest_value *digest, struct slice signature,
                                    const struct x509_key *signer)
{
    int curve = signer->kind == X509_KEY_P256   ? ECC_SECP256R1
                : signer->kind == X509_KEY_P384 ? ECC_SECP384R1
                                                : ECC_SECP521R1;
    ecc_key key;
    int good = 0, code;

    if (!ecdsa_value_is_good(signature, (signer->bits + 7u) / 8))
        return ASSAY_ERR_REFUSED;
    if (wc_ecc_init_ex(&key, NULL, INVALID_DEVID) != 0)
        return ASSAY_ERR_CRYPTO;
    code = wc_ecc_import_x963_ex(signer->point.data, (word32)signer->point.len, &key, curve);
    if (code == 0)
        code =
            wc_ecc_verify_hash(signature.data, (word32)signature.len, digest->bytes, (word32)digest->size, &good, &key);
    wc_ecc_free(&key);
    if (code != 0)
        return wolf_failure(code);
    return good == 1 ? ASSAY_OK : ASSAY_ERR_REFUSED;
}

static enum assay_error ed25519_check(struct slice message, struct slice signature, const struct x509_key *signer)
{
    ed25519_key key;
    int good = 0, code;

    if (signature.len != ED25519_SIG_SIZE)
        return ASSAY_ERR_REFUSED;
    if (wc_ed25519_init_ex(&key, NULL, INVALID_DEVID) != 0)
        return ASSAY_ERR_CRYPTO;
    code = wc_ed25519_import_public(signer->point.data, (word32)signer->point.len, &key);
    if (code == 0)
        code = wc_ed25519_verify_msg(signature.data, (word32)signature.len, message.data, (word32)message.len, &good,
                                     &key);
    wc_ed25519_free(&key);
    if (code != 0)
        return wolf_failure(code);
    return good == 1 ? ASSAY_OK : ASSAY_ERR_REFUSED;
}

static uint32_t check_price(const struct x509_key *signer)
{
    switch (signer->kind) {
    case X509_KEY_RSA:
    case X509_KEY_RSA_PSS: return signer->bits <= 2048 ? 1 : signer->bits <= 4096 ? 4 : 16;
    case X509_KEY_P384: return 4;
    case X509_KEY_P521: return 6;
    default: return 1;
    }
}

bool x509_work_take(struct x509_work *work, const struct x509_key *signer)
{
    uint32_t price = check_price(signer);

    if (work->used >= work->max || price > work->max - work->used)
        return false;
    work->used += price;
    work->checks++;
    return true;
}

/* Could this key have made a signature of this kind at all? */
static bool kinds_agree(const struct x509_signature_algorithm *algorithm, const struct x509_key *signer)
{
    switch (signer->kind) {
    case X509_KEY_RSA: return algorithm->kind == X509_SIGNATURE_RSA_PKCS1 || algorithm->kind == X509_SIGNATURE_RSA_PSS;
    case X509_KEY_RSA_PSS:
        return algorithm->kind == X509_SIGNATURE_RSA_PSS &&
               (signer->pss_digest == X509_DIGEST_NONE ||
                (signer->pss_digest == algorithm->digest && algorithm->salt_bytes >= signer->pss_salt_bytes));
    case X509_KEY_P256:
    case X509_KEY_P384:
    case X509_KEY_P521: return algorithm->kind == X509_SIGNATURE_ECDSA;
    case X509_KEY_ED25519: return algorithm->kind == X509_SIGNATURE_ED25519;
    default: return false;
    }
}

enum assay_error x509_signature_check_digest(const struct x509_digest_value *digest, struct slice message,
                                             const struct x509_signature_algorithm *algorithm, struct slice signature,
                                             const struct x509_key *signer)
{
    if (algorithm->kind == X509_SIGNATURE_UNSUPPORTED || algorithm->digest == X509_DIGEST_MD5 ||
        signer->kind == X509_KEY_UNSUPPORTED)
        return ASSAY_ERR_UNSUPPORTED;
    if (!kinds_agree(algorithm, signer))
        return ASSAY_ERR_REFUSED;
    if (algorithm->kind == X509_SIGNATURE_ED25519)
        return ed25519_check(message, signature, signer);
    if (algorithm->kind == X509_SIGNATURE_ECDSA)
        return ecdsa_check(digest, signature, signer);
    return rsa_check(digest, algorithm, signature, signer);
}

enum assay_error x509_signature_check_bytes(struct slice message, const struct x509_signature_algorithm *algorithm,
                                            struct slice signature, const struct x509_key *signer)
{
    struct x509_digest_value digest = {.size = 0};
    enum assay_error error;

    /* Nothing is hashed for a key that cannot have signed it. */
    if (kinds_agree(algorithm, signer) && algorithm->digest >= X509_DIGEST_SHA1 &&
        (error = x509_digest_make(algorithm->digest, message, &digest)) != ASSAY_OK)
        return error;
    return x509_signature_check_digest(&digest, message, algorithm, signature, signer);
}

enum assay_error x509_signature_check(const struct x509_certificate *certificate, const struct x509_key *signer)
{
    return x509_signature_check_bytes(certificate->tbs, &certificate->signature_algorithm, certificate->signature,
                                      signer);
}
