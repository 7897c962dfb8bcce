/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What verification costs on this machine, as JSON: a cached check, a miss by the chain's length, one signature of each kind, a
 * stapled OCSP response, a trust store of 10, 1,000 and 10,000 anchors built as a publish builds it, and the dearest inputs that we know of.
 * Chains are made on the spot. verify [--quick | --anchors N]: exit 1 where an input costs more than its bound. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/coding.h>

#include "forge.h"
#include "forge_ocsp.h"
#include "x509/ocsp.h"
#include "x509/signature.h"
#include "x509/store.h"
#include "x509/verdict_cache.h"
#include "x509/verify.h"

#define HOST       "cucm.steven.lab"
#define LENGTH_MAX 5  /* certificates between the leaf and the anchor, and one */
#define WORST_MS   10 /* any input of 64 KiB */

static int rounds = 200;

static double now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static void quit(const char *what)
{
    fprintf(stderr, "verify: %s\n", what);
    exit(2);
}

/* CA i of a chain: 0 is the root. */
static struct slice ca(enum forge_kind kind, unsigned i)
{
    char names[2][32];
    struct forge what = {.key = forge_key(kind, i), .signer = forge_key(kind, i ? i - 1 : 0), .subject = names[0]};

    what.extensions[0] = forge_ca(-1);
    snprintf(names[0], sizeof(names[0]), "CA %u", i);
    snprintf(names[1], sizeof(names[1]), "CA %u", i ? i - 1 : 0);
    what.issuer = names[1];
    return forge_certificate(&what);
}

static struct slice leaf(enum forge_kind kind, unsigned issuer)
{
    char name[32];

    snprintf(name, sizeof(name), "CA %u", issuer);
    return forge_certificate(&(struct forge){.subject = HOST,
                                             .issuer = name,
                                             .key = forge_key(kind, 15),
                                             .signer = forge_key(kind, issuer),
                                             .extensions = {forge_san(forge_dns(HOST))}});
}

struct scene {
    struct x509_store *store;
    struct slice chain[X509_PRESENTED_MAX];
    size_t count;
    struct x509_identity identity;
    struct x509_policy policy;
    struct x509_result result;
};

static void scene_begin(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->store = x509_store_create();
    x509_policy_default(&scene->policy);
    if (scene->store == NULL || x509_identity_from_host(slice_text(HOST), &scene->identity) != ASSAY_OK)
        quit("out of memory");
}

static void scene_trust(struct scene *scene, struct slice der)
{
    if (x509_store_add(scene->store, der, X509_ROLE_ANCHOR, NULL) != ASSAY_OK)
        quit("an anchor that is none");
}

static double scene_time(struct scene *scene, int times)
{
    double begin = now_ns();

    for (int i = 0; i < times; i++)
        x509_verify(scene->store, scene->chain, scene->count, &scene->identity, &scene->policy, FORGE_NOW,
                    &scene->result);
    return (now_ns() - begin) / times;
}

/* Chains of 1 to 5 signatures. */
static void misses(const char *name, enum forge_kind kind)
{
    printf("  \"miss_%s_ns\": [", name);
    for (unsigned length = 1; length <= LENGTH_MAX; length++) {
        struct scene scene;

        scene_begin(&scene);
        scene_trust(&scene, ca(kind, 0));
        scene.chain[scene.count++] = leaf(kind, length - 1);
        for (unsigned i = length - 1; i > 0; i--)
            scene.chain[scene.count++] = ca(kind, i);
        printf("%s%.0f", length > 1 ? ", " : "", scene_time(&scene, rounds));
        if (x509_result_reason(&scene.result) != X509_REASON_OK)
            quit("a good chain was refused");
        x509_store_free(scene.store);
    }
    printf("],\n");
}

static void cached(void)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(4096, 64, 5);
    struct x509_verdict_key key;
    struct x509_chain_digest digest;
    struct x509_verdict verdict;
    struct scene scene;
    double begin;
    int times = rounds * 1000;

    scene_begin(&scene);
    scene_trust(&scene, ca(FORGE_P256, 0));
    scene.chain[scene.count++] = leaf(FORGE_P256, 0);
    (void)scene_time(&scene, 1);
    x509_chain_digest(scene.chain, scene.count, &digest);
    x509_verdict_key_init(&key, &digest, &scene.identity, 1);
    if (cache == NULL)
        quit("out of memory");
    x509_verdict_cache_put(cache, &key, 1, FORGE_NOW, &scene.result);
    begin = now_ns();
    for (int i = 0; i < times; i++)
        if (!x509_verdict_cache_find(cache, &key, 1, FORGE_NOW, &verdict))
            quit("the cache does not hold what was put in");
    printf("  \"cached_ns\": %.1f,\n", (now_ns() - begin) / times);
    begin = now_ns();
    for (int i = 0; i < times; i++)
        if (!x509_verdict_cache_lookup(cache, &digest, &scene.identity, 1, 1, FORGE_NOW, &verdict))
            quit("the cache does not hold what was put in");
    printf("  \"cached_with_key_ns\": %.1f,\n", (now_ns() - begin) / times);
    begin = now_ns();
    for (int i = 0; i < rounds; i++)
        x509_chain_digest(scene.chain, scene.count, &digest);
    printf("  \"digest_ns\": %.0f,\n", (now_ns() - begin) / rounds);
    x509_verdict_cache_free(cache);
    x509_store_free(scene.store);
}

static void signatures(void)
{
    static const struct {
        const char *name;
        enum forge_kind kind;
        bool pss;
    } kinds[] = {{"P-256", FORGE_P256, false},       {"P-384", FORGE_P384, false},
                 {"P-521", FORGE_P521, false},       {"Ed25519", FORGE_ED25519, false},
                 {"RSA-2048", FORGE_RSA2048, false}, {"RSA-2048 PSS", FORGE_RSA2048, true}};

    printf("  \"signature_ns\": {");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct forge what = {.subject = "x", .key = forge_key(kinds[i].kind, 0), .pss = kinds[i].pss};
        struct x509_certificate parsed;
        double begin;

        if (x509_certificate_parse(forge_certificate(&what), &parsed, NULL) != ASSAY_OK)
            quit("a certificate that is none");
        begin = now_ns();
        for (int k = 0; k < rounds; k++)
            if (x509_signature_check(&parsed, &parsed.key) != ASSAY_OK)
                quit("a good signature was refused");
        printf("%s\"%s\": %.0f", i ? ", " : "", kinds[i].name, (now_ns() - begin) / rounds);
    }
    printf("},\n");
}

static double staple_time(struct slice response, const struct x509_certificate *of,
                          const struct x509_certificate *issuer)
{
    double begin = now_ns();

    for (int i = 0; i < rounds; i++) {
        struct x509_work work = {.max = 8};
        struct x509_ocsp_verdict verdict;
        struct x509_policy policy;

        x509_policy_default(&policy);
        x509_ocsp_judge(response, of, issuer, &policy, FORGE_NOW, &work, &verdict);
        if (verdict.reason != X509_REASON_OK)
            quit("a good response was refused");
    }
    return (now_ns() - begin) / rounds;
}

/* A response that was not stapled before; one that was is in the verdict's cache. P-256. */
static void staples(void)
{
    struct forge delegate = {.subject = "responder",
                             .issuer = "CA 0",
                             .key = forge_key(FORGE_P256, 9),
                             .signer = forge_key(FORGE_P256, 0),
                             .extensions = {forge_purpose("1.3.6.1.5.5.7.3.9"),
                                            forge_extension("1.3.6.1.5.5.7.48.1.5", false, forge_hex("0500"))}};
    struct forge_ocsp by_ca = {.issuer = "CA 0", .issuer_key = forge_key(FORGE_P256, 0)}, delegated = by_ca;
    struct x509_certificate of, issuer;

    delegated.responder = FORGE_TLV(0xa1, forge_name("responder"));
    delegated.signer = delegate.key;
    delegated.certificates = FORGE_TLV(0xa0, FORGE_TLV(0x30, forge_certificate(&delegate)));
    if (x509_certificate_parse(leaf(FORGE_P256, 0), &of, NULL) != ASSAY_OK ||
        x509_certificate_parse(ca(FORGE_P256, 0), &issuer, NULL) != ASSAY_OK)
        quit("a certificate that is none");
    printf("  \"staple_ns\": {\"by the CA\": %.0f, \"by a delegate\": %.0f},\n",
           staple_time(forge_ocsp(&by_ca), &of, &issuer), staple_time(forge_ocsp(&delegated), &of, &issuer));
}

#define ANCHORS 10000

static struct slice anchor(unsigned i)
{
    char name[32];

    snprintf(name, sizeof(name), "anchor %u", i);
    return forge_certificate(&(struct forge){.subject = name,
                                             .serial = forge_integer((long)i + 1),
                                             .not_after = FORGE_NOW + 20L * FORGE_YEAR,
                                             .extensions = {forge_ca(-1)}});
}

/* --anchors N: a PEM file of them, for a running assayd (tests/bench/publish.sh). */
static int print_anchors(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct slice der = anchor(i);
        uint8_t text[4096];
        word32 len = sizeof(text);

        if (Base64_Encode(der.data, (word32)der.len, text, &len) != 0)
            quit("an anchor that is too long");
        printf("-----BEGIN CERTIFICATE-----\n%.*s-----END CERTIFICATE-----\n", (int)len, (const char *)text);
    }
    forge_free();
    return fflush(stdout) == 0 ? 0 : 2;
}

static void stores(void)
{
    static const unsigned sizes[] = {10, 1000, ANCHORS};
    static struct slice anchors[ANCHORS];

    for (unsigned i = 0; i < ANCHORS; i++)
        anchors[i] = anchor(i);
    printf("  \"store_ms\": {");
    for (size_t s = 0; s < 3; s++) {
        double begin = now_ns();
        struct x509_store *store = x509_store_create();

        for (unsigned i = 0; store != NULL && i < sizes[s]; i++)
            if (x509_store_add(store, anchors[i], X509_ROLE_ANCHOR, NULL) != ASSAY_OK)
                quit("an anchor that is none");
        x509_store_free(store);
        printf("%s\"%u\": %.3f", s ? ", " : "", sizes[s], (now_ns() - begin) / 1e6);
    }
    printf("},\n");
}

/* Everything presented bears one name and is signed by everything else's key, as far as it goes: each pair is tried. */
static bool worst(const char *name, enum forge_kind kind, bool last)
{
    struct scene scene;
    double ms;

    scene_begin(&scene);
    for (unsigned i = 0; i < X509_PRESENTED_MAX; i++) {
        struct forge what = {.subject = i ? "X" : HOST,
                             .issuer = "X",
                             .key = forge_key(kind, i),
                             .signer = forge_key(kind, (i + 1) % X509_PRESENTED_MAX),
                             .serial = forge_integer(i + 1)};

        what.extensions[0] = i ? forge_ca(-1) : forge_san(forge_dns(HOST));
        scene.chain[scene.count++] = forge_certificate(&what);
    }
    ms = scene_time(&scene, 5) / 1e6;
    printf("\"%s\": {\"ms\": %.2f, \"signatures\": %u, \"reason\": \"%s\"}%s", name, ms,
           scene.result.signatures_checked, x509_reason_name(scene.result.chain_reason), last ? "" : ", ");
    x509_store_free(scene.store);
    return ms < WORST_MS;
}

/* Names against constraints, as many as 64 KiB hold, under a CA that is trusted: nothing but the comparisons cost. */
static bool worst_names(const char *name, uint8_t tag)
{
    struct slice names[700], trees[700];
    struct scene scene;
    char text[40];
    double ms;

    for (unsigned i = 0; i < 700; i++) {
        struct slice one;

        snprintf(text, sizeof(text), "n%03u.aaaaaaaaaaaaaaaaaaaaaaaa.lab", i);
        one = tag == 0xa4 ? FORGE_TLV(0xa4, forge_name(text)) : forge_text(tag, text);
        names[i] = one;
        snprintf(text, sizeof(text), "m%03u.aaaaaaaaaaaaaaaaaaaaaaaa.lab", i);
        one = tag == 0xa4 ? FORGE_TLV(0xa4, forge_name(text)) : forge_text(tag, text);
        trees[i] = FORGE_TLV(0x30, one);
    }
    scene_begin(&scene);
    scene_trust(&scene,
                forge_certificate(&(struct forge){
                    .subject = "CA",
                    .key = forge_key(FORGE_P256, 0),
                    .extensions = {forge_ca(-1),
                                   forge_extension("2.5.29.30", true, FORGE_TLV(0x30, forge_tlv(0xa1, trees, 700)))}}));
    scene.chain[scene.count++] = forge_certificate(
        &(struct forge){.subject = HOST,
                        .issuer = "CA",
                        .key = forge_key(FORGE_P256, 1),
                        .signer = forge_key(FORGE_P256, 0),
                        .extensions = {forge_extension("2.5.29.17", false, forge_tlv(0x30, names, 700))}});
    ms = scene_time(&scene, 5) / 1e6;
    printf("\"%s\": {\"ms\": %.2f, \"reason\": \"%s\"}, ", name, ms, x509_reason_name(scene.result.chain_reason));
    x509_store_free(scene.store);
    return ms < WORST_MS;
}

int main(int argc, char **argv)
{
    bool good = true;

    if (argc == 3 && strcmp(argv[1], "--anchors") == 0 && atoi(argv[2]) > 0)
        return print_anchors((unsigned)atoi(argv[2]));
    if (argc == 2 && strcmp(argv[1], "--quick") == 0)
        rounds = 20;
    else if (argc != 1)
        quit("usage: verify [--quick | --anchors N]");
    printf("{\n");
    cached();
    misses("p256", FORGE_P256);
    misses("rsa2048", FORGE_RSA2048);
    signatures();
    staples();
    stores();
    printf("  \"worst\": {");
    good &= worst_names("DNS names", 0x82);
    good &= worst_names("mail names", 0x81);
    good &= worst_names("directory names", 0xa4);
    good &= worst("P-256", FORGE_P256, false);
    good &= worst("P-384", FORGE_P384, false);
    good &= worst("P-521", FORGE_P521, false);
    good &= worst("Ed25519", FORGE_ED25519, false);
    good &= worst("RSA-2048", FORGE_RSA2048, true);
    printf("}\n}\n");
    forge_free();
    return !good;
}
