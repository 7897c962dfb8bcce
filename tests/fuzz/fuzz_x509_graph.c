/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphs of certificates with right signatures, drawn by the input: two octets a certificate. What the search finds is a path
 * by rules spelled out here once more; what it does not find is not there, as a search without any cunning says; and whatever
 * it does is bounded. */
#include <stdlib.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/ed25519.h>

#include "fuzz.h"
#include "x509/path.h"

#define NOW      1700000000
#define KEYS     4
#define ALL_MAX  30 /* certificates of a graph */
#define DEEP_MAX 8  /* of a graph that is searched without cunning */

static struct {
    ed25519_key key;
    uint8_t public[32];
} keys[KEYS];

static void keys_make(void)
{
    for (int i = 0; i < KEYS; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};

        FUZZ_CHECK(wc_ed25519_init(&keys[i].key) == 0 &&
                   wc_ed25519_import_private_only(seed, sizeof(seed), &keys[i].key) == 0 &&
                   wc_ed25519_make_public(&keys[i].key, keys[i].public, 32) == 0 &&
                   wc_ed25519_import_public(keys[i].public, 32, &keys[i].key) == 0);
    }
}

/* --- certificates --------------------------------------------------------------------------------------------------------------------- */

/* What two octets say: subject 3 bits, issuer 3, key 2, signer 2, cA 1, expired 1, path length 2 (0: none), role 2. */
#define SUBJECT(code) ((code)&7)
#define ISSUER(code)  ((code) >> 3 & 7)
#define KEY(code)     ((code) >> 6 & 3)
#define SIGNER(code)  ((code) >> 8 & 3)
#define IS_CA(code)   ((code) >> 10 & 1)
#define EXPIRED(code) ((code) >> 11 & 1)
#define LENGTH(code)  ((int)((code) >> 12 & 3) - 1)
#define ROLE(code)    ((code) >> 14 & 3) /* 3: presented */

struct buffer {
    uint8_t bytes[512];
    size_t length;
};

static void put(struct buffer *out, const void *bytes, size_t length)
{
    FUZZ_CHECK(out->length + length <= sizeof(out->bytes));
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void put_tlv(struct buffer *out, uint8_t tag, const struct buffer *body)
{
    uint8_t header[4] = {tag, (uint8_t)body->length};
    size_t length = 2;

    if (body->length >= 0x100) {
        header[1] = 0x82;
        header[2] = (uint8_t)(body->length >> 8);
        header[3] = (uint8_t)body->length;
        length = 4;
    } else if (body->length >= 0x80) {
        header[1] = 0x81;
        header[2] = (uint8_t)body->length;
        length = 3;
    }
    put(out, header, length);
    put(out, body->bytes, body->length);
}

static void put_name(struct buffer *out, unsigned number)
{
    uint8_t name[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06,
                      0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, (uint8_t)('A' + number)};

    put(out, name, sizeof(name));
}

static void put_extensions(struct buffer *out, unsigned code)
{
    uint8_t ca[] = {0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01,
                    0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff};
    uint8_t limited[] = {0x30, 0x12, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff,
                         0x04, 0x08, 0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, (uint8_t)LENGTH(code)};
    struct buffer list = {.length = 0}, sequence = {.length = 0};

    if (!IS_CA(code))
        return;
    if (LENGTH(code) < 0)
        put(&list, ca, sizeof(ca));
    else
        put(&list, limited, sizeof(limited));
    put_tlv(&sequence, 0x30, &list);
    put_tlv(out, 0xa3, &sequence);
}

static const uint8_t ed25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};

static struct slice certificate_make(unsigned code)
{
    static const uint8_t version[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
    uint8_t serial[] = {0x02, 0x03, 0x01, (uint8_t)(code >> 8), (uint8_t)code}, signature[65] = {0};
    struct buffer body = {.length = 0}, validity = {.length = 0}, spki = {.length = 0}, tbs = {.length = 0};
    struct buffer bits = {.length = 0}, whole = {.length = 0}, *out = malloc(sizeof(*out));
    word32 length = 64;

    FUZZ_CHECK(out != NULL);
    out->length = 0;
    put(&body, version, sizeof(version));
    put(&body, serial, sizeof(serial));
    put(&body, ed25519, sizeof(ed25519));
    put_name(&body, ISSUER(code));
    put(&validity,
        "\x17\x0d"
        "200101000000Z",
        15);
    put(&validity,
        EXPIRED(code) ? "\x17\x0d"
                        "210101000000Z"
                      : "\x17\x0d"
                        "300101000000Z",
        15);
    put_tlv(&body, 0x30, &validity);
    put_name(&body, SUBJECT(code));
    put(&spki, ed25519, sizeof(ed25519));
    put(&spki, "\x03\x21\x00", 3);
    put(&spki, keys[KEY(code)].public, 32);
    put_tlv(&body, 0x30, &spki);
    put_extensions(&body, code);
    put_tlv(&tbs, 0x30, &body);
    FUZZ_CHECK(wc_ed25519_sign_msg(tbs.bytes, (word32)tbs.length, signature + 1, &length, &keys[SIGNER(code)].key) ==
               0);
    put(&bits, signature, sizeof(signature));
    put(&whole, tbs.bytes, tbs.length);
    put(&whole, ed25519, sizeof(ed25519));
    put_tlv(&whole, 0x03, &bits);
    put_tlv(out, 0x30, &whole);
    return slice_of(out->bytes, out->length);
}

/* The same two octets are the same certificate, whatever its role. */
static struct slice certificate_of(unsigned code)
{
    static struct slice made[1 << 14];
    struct slice *one = &made[code & 0x3fff];

    if (one->len == 0)
        *one = certificate_make(code & 0x3fff);
    return *one;
}

/* --- the search without cunning --------------------------------------------------------------------------------------------------------- */

struct graph {
    unsigned codes[ALL_MAX]; /* [0]: the leaf; roles as drawn, the leaf's own included */
    size_t count;
    size_t path[ALL_MAX], length;
};

static bool same(unsigned a, unsigned b)
{
    return ((a ^ b) & 0x3fff) == 0;
}

static bool has_role(const struct graph *graph, unsigned code, unsigned role)
{
    for (size_t i = 1; i < graph->count; i++)
        if (same(graph->codes[i], code) && ROLE(graph->codes[i]) == role)
            return true;
    return false;
}

/* What ends a path, what may be an issuer at all. */
static bool ends(const struct graph *graph, unsigned code)
{
    return has_role(graph, code, X509_ROLE_ANCHOR);
}

static bool may_issue(const struct graph *graph, unsigned code)
{
    return ends(graph, code) || has_role(graph, code, X509_ROLE_HELPER) ||
           (has_role(graph, code, 3) && !has_role(graph, code, X509_ROLE_LEAF_ONLY));
}

static bool fits(const struct graph *graph, unsigned code)
{
    unsigned last = graph->codes[graph->path[graph->length - 1]];
    int below = 0;

    if (!may_issue(graph, code) || SUBJECT(code) != ISSUER(last) || KEY(code) != SIGNER(last) || !IS_CA(code) ||
        EXPIRED(code))
        return false;
    for (size_t i = 0; i < graph->length; i++) {
        unsigned there = graph->codes[graph->path[i]];

        if (SUBJECT(there) == SUBJECT(code) && KEY(there) == KEY(code))
            return false;
        below += i > 0 && SUBJECT(there) != ISSUER(there);
    }
    return LENGTH(code) < 0 || below <= LENGTH(code);
}

static bool exists(struct graph *graph)
{
    for (size_t i = 1; i < graph->count; i++) {
        unsigned code = graph->codes[i];
        bool found;

        if (!fits(graph, code))
            continue;
        if (ends(graph, code))
            return true;
        graph->path[graph->length++] = i;
        found = exists(graph);
        graph->length--;
        if (found)
            return true;
    }
    return false;
}

static bool leaf_ends(const struct graph *graph)
{
    return ends(graph, graph->codes[0]) || has_role(graph, graph->codes[0], X509_ROLE_LEAF_ONLY);
}

/* --- and the one that is tried ------------------------------------------------------------------------------------------------------------ */

static unsigned code_of(const struct graph *graph, const struct x509_certificate *certificate)
{
    for (size_t i = 0; i < graph->count; i++)
        if (slice_equal(certificate_of(graph->codes[i]), certificate->der))
            return graph->codes[i];
    FUZZ_CHECK(false);
    return 0;
}

static void check_path(struct graph *graph, const struct path_search *search)
{
    FUZZ_CHECK(search->length >= 1 && search->length <= X509_PATH_MAX);
    FUZZ_CHECK(same(code_of(graph, search->path[0]), graph->codes[0]) && !EXPIRED(graph->codes[0]));
    graph->path[0] = 0;
    graph->length = 1;
    for (size_t i = 1; i < search->length; i++) {
        unsigned code = code_of(graph, search->path[i]);

        FUZZ_CHECK(fits(graph, code));
        FUZZ_CHECK(ends(graph, code) == (i + 1 == search->length));
        for (graph->path[i] = 1; !same(graph->codes[graph->path[i]], code); graph->path[i]++)
            ;
        graph->length++;
    }
    if (search->length == 1)
        FUZZ_CHECK(leaf_ends(graph));
}

static void search_fill(const struct graph *graph, struct path_search *search, struct x509_store *store)
{
    FUZZ_CHECK(x509_certificate_parse(certificate_of(graph->codes[0]), &search->presented[0], NULL) == ASSAY_OK);
    search->presented_count = 1;
    for (size_t i = 1; i < graph->count; i++) {
        struct slice der = certificate_of(graph->codes[i]);
        enum assay_error error;

        if (ROLE(graph->codes[i]) == 3) {
            if (search->presented_count < X509_PRESENTED_MAX)
                FUZZ_CHECK(x509_certificate_parse(der, &search->presented[search->presented_count++], NULL) ==
                           ASSAY_OK);
            continue;
        }
        error = x509_store_add(store, der, (enum x509_role)ROLE(graph->codes[i]), NULL);
        FUZZ_CHECK(error == ASSAY_OK || error == ASSAY_ERR_DUPLICATE);
    }
}

static void judge(struct graph *graph)
{
    struct x509_store *store = x509_store_create();
    static struct path_search search;
    struct x509_policy policy;
    bool found;

    FUZZ_CHECK(store != NULL);
    x509_policy_default(&policy);
    policy.depth_max = X509_PATH_MAX - 2;
    search_fill(graph, &search, store);
    path_search_begin(&search, store, &policy, NOW);
    found = path_find(&search);
    if (found)
        check_path(graph, &search);
    else if (graph->count <= DEEP_MAX && !search.exhausted && !EXPIRED(graph->codes[0]) && !leaf_ends(graph)) {
        graph->path[0] = 0;
        graph->length = 1;
        FUZZ_CHECK(!exists(graph));
    } else if (!search.exhausted && !EXPIRED(graph->codes[0]))
        FUZZ_CHECK(!leaf_ends(graph));
    if (!found)
        path_explain(&search);
    FUZZ_CHECK(search.work.used <= policy.work_max && search.work.checks <= search.work.used);
    FUZZ_CHECK(search.link_count <= PATH_SIGNATURES_MAX && search.steps <= PATH_STEPS_MAX);
    x509_store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct graph graph = {.count = 0};

    if (!ready)
        keys_make();
    ready = true;
    while (size >= 2 && graph.count < ALL_MAX) {
        graph.codes[graph.count++] = (unsigned)data[0] | (unsigned)data[1] << 8;
        data += 2;
        size -= 2;
    }
    if (graph.count > 0)
        judge(&graph);
    return 0;
}
