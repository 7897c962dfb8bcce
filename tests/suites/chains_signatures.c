/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chains.h"

static const struct {
    const char *name;
    enum forge_kind kind;
    bool pss, rsa;
} signers[] = {
    {"P-256", FORGE_P256, false, false},      {"P-384", FORGE_P384, false, false},
    {"P-521", FORGE_P521, false, false},      {"Ed25519", FORGE_ED25519, false, false},
    {"RSA-2048", FORGE_RSA2048, false, true}, {"RSA-2048 PSS", FORGE_RSA2048, true, true},
    {"RSA-1024", FORGE_RSA1024, false, true},
};
#define SIGNERS (sizeof(signers) / sizeof(signers[0]))

/* A chain whose intermediate has the i-th kind of key; the leaf is signed as told. */
static void add(struct chain_list *list, size_t i, void *signer, int digest, bool pss, bool broken,
                enum x509_reason expected, const char *source, const char *what_text)
{
    void *issuer = forge_key(signers[i].kind, 3);
    struct chain_case one = {.source = source, .trust = {ROOT}, .expected = expected};

    one.chain[0] = FORGED(chains_leaf, what.signer = signer ? signer : issuer, what.digest = digest, what.pss = pss,
                          what.break_signature = broken);
    one.chain[1] = FORGED(chains_int, what.key = issuer);
    chains_add(list, &one, "signature/%s, SHA-%d: %s", signers[i].name, digest == 5 ? 0 : digest, what_text);
}

/* RFC 5280 §6.1.3 (a)(1): the signature holds under the issuer's key. */
static void right_and_wrong(struct chain_list *list)
{
    static const int digests[] = {1, 256, 384, 512};

    for (int broken = 1; broken >= 0; broken--)
        for (size_t i = 0; i < SIGNERS; i++)
            for (size_t d = 0; d < 4; d++) {
                bool once = signers[i].kind == FORGE_ED25519;

                if (once && digests[d] != 512)
                    continue;
                /* A 1024-bit modulus holds a PSS encoding of SHA-512 no more; PKCS#1 it does. */
                add(list, i, NULL, digests[d], signers[i].pss, broken != 0,
                    broken ? X509_REASON_BAD_SIGNATURE : X509_REASON_OK, "RFC 5280 6.1.3 (a)(1), MRA S33",
                    broken ? "one bit is wrong" : "right");
            }
}

/* The same name, another key, of the same kind and of every other. */
static void by_another(struct chain_list *list)
{
    for (size_t i = 0; i < SIGNERS; i++)
        for (size_t k = 0; k < SIGNERS; k++) {
            char text[64];

            snprintf(text, sizeof(text), "made by another's %s", signers[k].name);
            add(list, i, forge_key(signers[k].kind, 4), 256, signers[k].pss, false, X509_REASON_BAD_SIGNATURE,
                "RFC 5280 6.1.3 (a)(1)", text);
        }
}

static void digests(struct chain_list *list)
{
    for (size_t i = 4; i < SIGNERS; i += 2) /* RSA with PKCS#1 v1.5 */
        add(list, i, NULL, 5, false, false, X509_REASON_WEAK_DIGEST, "RFC 6151 2", "MD5");
}

void chains_signatures(struct chain_list *list)
{
    right_and_wrong(list);
    by_another(list);
    digests(list);
}
