/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/ciphers.h"

#include <assert.h>
#include <string.h>

/* Toward clients: authenticated encryption and forward secrecy only. */
const char tls_ciphers_default_server[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
/* Toward origins: what the product offers on a fresh install, ECDSA preferred (S8). */
const char tls_ciphers_default_client[] = "EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL:!aDH";

enum trait {
    ECDHE = 1 << 0,
    DHE = 1 << 1,
    RSA = 1 << 2,
    ECDSA = 1 << 3,
    AES128 = 1 << 4,
    AES256 = 1 << 5,
    GCM = 1 << 6,
    CHACHA20 = 1 << 7,
    SHA1 = 1 << 8,
    SHA256 = 1 << 9,
    SHA384 = 1 << 10,
    ANY = (1 << 11) - 1,
    NONE = 0,
};

struct suite {
    const char *name; /* OpenSSL's, and the library's */
    uint32_t traits;
    uint16_t strength_bits;
};

/* OpenSSL's own order: strength within mode, ECDHE before DHE, ECDSA before RSA. */
static const struct suite suites[] = {
    {"ECDHE-ECDSA-AES256-GCM-SHA384", ECDHE | ECDSA | AES256 | GCM, 256},
    {"ECDHE-RSA-AES256-GCM-SHA384", ECDHE | RSA | AES256 | GCM, 256},
    {"DHE-RSA-AES256-GCM-SHA384", DHE | RSA | AES256 | GCM, 256},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", ECDHE | ECDSA | CHACHA20, 256},
    {"ECDHE-RSA-CHACHA20-POLY1305", ECDHE | RSA | CHACHA20, 256},
    {"DHE-RSA-CHACHA20-POLY1305", DHE | RSA | CHACHA20, 256},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", ECDHE | ECDSA | AES128 | GCM, 128},
    {"ECDHE-RSA-AES128-GCM-SHA256", ECDHE | RSA | AES128 | GCM, 128},
    {"DHE-RSA-AES128-GCM-SHA256", DHE | RSA | AES128 | GCM, 128},
    {"ECDHE-ECDSA-AES256-SHA384", ECDHE | ECDSA | AES256 | SHA384, 256},
    {"ECDHE-RSA-AES256-SHA384", ECDHE | RSA | AES256 | SHA384, 256},
    {"DHE-RSA-AES256-SHA256", DHE | RSA | AES256 | SHA256, 256},
    {"ECDHE-ECDSA-AES128-SHA256", ECDHE | ECDSA | AES128 | SHA256, 128},
    {"ECDHE-RSA-AES128-SHA256", ECDHE | RSA | AES128 | SHA256, 128},
    {"DHE-RSA-AES128-SHA256", DHE | RSA | AES128 | SHA256, 128},
    {"ECDHE-ECDSA-AES256-SHA", ECDHE | ECDSA | AES256 | SHA1, 256},
    {"ECDHE-RSA-AES256-SHA", ECDHE | RSA | AES256 | SHA1, 256},
    {"DHE-RSA-AES256-SHA", DHE | RSA | AES256 | SHA1, 256},
    {"ECDHE-ECDSA-AES128-SHA", ECDHE | ECDSA | AES128 | SHA1, 128},
    {"ECDHE-RSA-AES128-SHA", ECDHE | RSA | AES128 | SHA1, 128},
    {"DHE-RSA-AES128-SHA", DHE | RSA | AES128 | SHA1, 128},
};
#define SUITES (sizeof(suites) / sizeof(*suites))

/* The suites of TLS 1.3, in the order of choice; a string may name them, and then only those are used. */
static const struct {
    const char *name, *library_name;
} suites13[] = {
    {"TLS_AES_128_GCM_SHA256", "TLS13-AES128-GCM-SHA256"},
    {"TLS_AES_256_GCM_SHA384", "TLS13-AES256-GCM-SHA384"},
    {"TLS_CHACHA20_POLY1305_SHA256", "TLS13-CHACHA20-POLY1305-SHA256"},
};
#define SUITES13 (sizeof(suites13) / sizeof(*suites13))

/* A class matches a suite that has one of its traits. NONE: known to OpenSSL, and not in this build. */
static const struct {
    const char *name;
    uint32_t traits;
} classes[] = {
    {"ALL", ANY},
    {"DEFAULT", ANY},
    {"HIGH", ANY},
    {"FIPS", ANY},
    {"TLSv1.2", GCM | CHACHA20 | SHA256 | SHA384},
    {"TLSv1", SHA1},
    {"TLSv1.0", SHA1},
    {"SSLv3", SHA1},
    {"ECDHE", ECDHE},
    {"EECDH", ECDHE},
    {"kECDHE", ECDHE},
    {"kEECDH", ECDHE},
    {"DHE", DHE},
    {"EDH", DHE},
    {"kDHE", DHE},
    {"kEDH", DHE},
    {"aRSA", RSA},
    {"ECDSA", ECDSA},
    {"aECDSA", ECDSA},
    {"AES", AES128 | AES256},
    {"AES128", AES128},
    {"AES256", AES256},
    {"AESGCM", GCM},
    {"CHACHA20", CHACHA20},
    {"SHA", SHA1},
    {"SHA1", SHA1},
    {"SHA256", SHA256},
    {"SHA384", SHA384},
    {"RSA", NONE},
    {"kRSA", NONE},
    {"kDH", NONE},
    {"kDHr", NONE},
    {"kDHd", NONE},
    {"aDH", NONE},
    {"DH", NONE},
    {"ADH", NONE},
    {"AECDH", NONE},
    {"ECDH", NONE},
    {"aECDH", NONE},
    {"kECDH", NONE},
    {"DSS", NONE},
    {"aDSS", NONE},
    {"aNULL", NONE},
    {"eNULL", NONE},
    {"NULL", NONE},
    {"COMPLEMENTOFALL", NONE},
    {"COMPLEMENTOFDEFAULT", NONE},
    {"MEDIUM", NONE},
    {"LOW", NONE},
    {"EXP", NONE},
    {"EXPORT", NONE},
    {"EXPORT40", NONE},
    {"EXPORT56", NONE},
    {"MD5", NONE},
    {"RC2", NONE},
    {"RC4", NONE},
    {"DES", NONE},
    {"3DES", NONE},
    {"IDEA", NONE},
    {"SEED", NONE},
    {"CAMELLIA", NONE},
    {"CAMELLIA128", NONE},
    {"CAMELLIA256", NONE},
    {"ARIA", NONE},
    {"ARIA128", NONE},
    {"ARIA256", NONE},
    {"ARIAGCM", NONE},
    {"AESCCM", NONE},
    {"AESCCM8", NONE},
    {"PSK", NONE},
    {"kPSK", NONE},
    {"kECDHEPSK", NONE},
    {"kDHEPSK", NONE},
    {"kRSAPSK", NONE},
    {"aPSK", NONE},
    {"SRP", NONE},
    {"kSRP", NONE},
    {"aSRP", NONE},
    {"GOST94", NONE},
    {"GOST89MAC", NONE},
    {"kGOST", NONE},
    {"aGOST", NONE},
    {"aGOST01", NONE},
    {"SSLv2", NONE},
    {"SUITEB128", NONE},
    {"SUITEB128ONLY", NONE},
    {"SUITEB192", NONE},
};
#define CLASSES (sizeof(classes) / sizeof(*classes))

/* Of these are names made that OpenSSL knows and this build does not, as DHE-RSA-CAMELLIA256-SHA. */
static const char *const name_parts[] = {
    "ECDHE",    "EDH",     "DHE",         "ECDH",        "DH",      "ADH",  "AECDH", "RSA",  "ECDSA", "DSS",
    "PSK",      "SRP",     "AES128",      "AES256",      "GCM",     "CCM",  "CCM8",  "CBC",  "CBC3",  "CHACHA20",
    "POLY1305", "ARIA128", "CAMELLIA128", "CAMELLIA256", "ARIA256", "ARIA", "SEED",  "IDEA", "DES",   "3DES",
    "RC4",      "NULL",    "SHA",         "SHA256",      "SHA384",  "MD5",  "EXP",   "128",  "256",   "AES",
};

/* The list being built: suites in order; killed ones never come back. */
struct order {
    uint8_t active[SUITES];
    size_t count;
    bool killed[SUITES];
    uint8_t active13[SUITES13];
    size_t count13;
};

static bool active_contains(const struct order *order, size_t suite)
{
    return memchr(order->active, (int)suite, order->count) != NULL;
}

/* --- matching -------------------------------------------------------------------------------------------------------------- */

static bool name_is_made_of_parts(struct slice word)
{
    while (word.len > 0) {
        const uint8_t *dash = memchr(word.data, '-', word.len);
        struct slice part = slice_head(word, dash != NULL ? (size_t)(dash - word.data) : word.len);
        bool known = false;

        for (size_t i = 0; i < sizeof(name_parts) / sizeof(*name_parts); i++)
            known = known || slice_is(part, name_parts[i]);
        if (!known || part.len + 1 == word.len) /* unknown, or a dash at the end */
            return false;
        word = slice_tail(word, part.len + 1);
    }
    return true;
}

/* Narrows matches to the suites of one word; false: nobody knows it. */
static bool narrow(struct slice word, bool matches[SUITES])
{
    for (size_t c = 0; c < CLASSES; c++)
        if (slice_is(word, classes[c].name)) {
            for (size_t i = 0; i < SUITES; i++)
                matches[i] = matches[i] && (suites[i].traits & classes[c].traits) != 0;
            return true;
        }
    for (size_t s = 0; s < SUITES; s++)
        if (slice_is(word, suites[s].name)) {
            for (size_t i = 0; i < SUITES; i++)
                matches[i] = matches[i] && i == s;
            return true;
        }
    memset(matches, 0, SUITES * sizeof(*matches));
    return memchr(word.data, '-', word.len) != NULL && name_is_made_of_parts(word);
}

/* ECDHE+AESGCM: what all of its words match. */
static bool match(struct slice words, bool matches[SUITES])
{
    memset(matches, 1, SUITES * sizeof(*matches));
    for (;;) {
        const uint8_t *plus = memchr(words.data, '+', words.len);
        size_t len = plus != NULL ? (size_t)(plus - words.data) : words.len;

        if (len == 0 || !narrow(slice_head(words, len), matches))
            return false;
        if (plus == NULL)
            return true;
        words = slice_of(plus + 1, words.len - len - 1);
        if (words.len == 0)
            return false;
    }
}

/* --- the operations of the notation --------------------------------------------------------------------------------------------- */

static void append(struct order *order, const bool matches[SUITES])
{
    for (size_t i = 0; i < SUITES; i++)
        if (matches[i] && !order->killed[i] && !active_contains(order, i))
            order->active[order->count++] = (uint8_t)i;
}

static void remove_matching(struct order *order, const bool matches[SUITES], bool forever)
{
    size_t kept = 0;

    for (size_t i = 0; i < order->count; i++)
        if (!matches[order->active[i]])
            order->active[kept++] = order->active[i];
    order->count = kept;
    for (size_t i = 0; forever && i < SUITES; i++)
        order->killed[i] = order->killed[i] || matches[i];
}

static void move_to_end(struct order *order, const bool matches[SUITES])
{
    uint8_t moved[SUITES];
    size_t kept = 0, count = 0;

    for (size_t i = 0; i < order->count; i++) {
        uint8_t suite = order->active[i];

        if (matches[suite])
            moved[count++] = suite;
        else
            order->active[kept++] = suite;
    }
    memcpy(order->active + kept, moved, count);
}

static void sort_by_strength(struct order *order)
{
    uint8_t sorted[SUITES];
    size_t count = 0;

    for (uint16_t bits = 256; bits >= 128; bits -= 128)
        for (size_t i = 0; i < order->count; i++)
            if (suites[order->active[i]].strength_bits == bits)
                sorted[count++] = order->active[i];
    memcpy(order->active, sorted, count);
}

static bool apply_tls13(struct order *order, struct slice item)
{
    for (size_t i = 0; i < SUITES13; i++)
        if (slice_is(item, suites13[i].name)) {
            if (memchr(order->active13, (int)i, order->count13) == NULL)
                order->active13[order->count13++] = (uint8_t)i;
            return true;
        }
    return false;
}

static bool apply(struct order *order, struct slice item)
{
    uint8_t operation = item.data[0];
    bool matches[SUITES];

    if (slice_is(item, "@STRENGTH")) {
        sort_by_strength(order);
        return true;
    }
    if (item.len > 10 && slice_is(slice_head(item, 10), "@SECLEVEL="))
        return true; /* what a security level forbids is not in this build, or is x509's policy */
    if (apply_tls13(order, item))
        return true;
    if (operation == '!' || operation == '-' || operation == '+')
        item = slice_tail(item, 1);
    if (item.len == 0 || !match(item, matches))
        return false;
    switch (operation) {
    case '!': remove_matching(order, matches, true); break;
    case '-': remove_matching(order, matches, false); break;
    case '+': move_to_end(order, matches); break;
    default: append(order, matches); break;
    }
    return true;
}

/* --- results ------------------------------------------------------------------------------------------------------------------- */

static void add_name(struct tls_ciphers *out, size_t *length, const char *name)
{
    size_t len = strlen(name);

    if (*length > 0)
        out->names[(*length)++] = ':';
    memcpy(out->names + *length, name, len + 1);
    *length += len;
}

static void write_names(const struct order *order, struct tls_ciphers *out)
{
    size_t length = 0;

    static_assert(TLS_CIPHER_NAMES_MAX >= (SUITES + SUITES13) * 32, "every suite at once must fit");
    for (size_t i = 0; i < SUITES13; i++)
        if (order->count13 == 0)
            add_name(out, &length, suites13[i].library_name);
        else if (i < order->count13)
            add_name(out, &length, suites13[order->active13[i]].library_name);
    for (size_t i = 0; i < order->count; i++) {
        add_name(out, &length, suites[order->active[i]].name);
        out->has_rsa = out->has_rsa || (suites[order->active[i]].traits & RSA) != 0;
        out->has_ecdsa = out->has_ecdsa || (suites[order->active[i]].traits & ECDSA) != 0;
    }
    out->has_tls12 = order->count > 0;
}

/* TLS 1.3's suites say nothing of the certificate; its signature algorithms do. A kind that the string leaves out in
 * TLS 1.2 is left out here as well. */
static void write_signatures(struct tls_ciphers *out)
{
    static const uint16_t ecdsa[] = {0x0403, 0x0503, 0x0603, 0x0807};
    static const uint16_t rsa[] = {0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601};
    bool both_or_none = out->has_rsa == out->has_ecdsa;

    for (int round = 0; round < 2; round++) {
        bool for_ecdsa = (out->preference == TLS_PREFER_ECDSA) == (round == 0);
        const uint16_t *from = for_ecdsa ? ecdsa : rsa;
        size_t count = for_ecdsa ? sizeof(ecdsa) / sizeof(*ecdsa) : sizeof(rsa) / sizeof(*rsa);

        if (!both_or_none && !(for_ecdsa ? out->has_ecdsa : out->has_rsa))
            continue;
        for (size_t i = 0; i < count; i++)
            out->signatures[out->signature_count++] = from[i];
    }
}

enum assay_error tls_ciphers_parse(const char *string, struct tls_ciphers *out, struct slice *fault)
{
    static const char separators[] = ": ,;";
    struct order order = {0};

    *out = (struct tls_ciphers){.preference = TLS_PREFER_ECDSA};
    for (const char *at = string + strspn(string, separators); *at != '\0';) {
        struct slice item = slice_of(at, strcspn(at, separators));

        *fault = item;
        if (!apply(&order, item))
            return ASSAY_ERR_MALFORMED;
        at += item.len;
        at += strspn(at, separators);
    }
    *fault = slice_text(string);
    if (order.count == 0 && order.count13 == 0)
        return ASSAY_ERR_UNSUPPORTED;
    if (order.count > 0 && (suites[order.active[0]].traits & RSA) != 0)
        out->preference = TLS_PREFER_RSA;
    write_names(&order, out);
    write_signatures(out);
    *fault = slice_of(NULL, 0);
    return ASSAY_OK;
}

const char *tls_ciphers_common_name(const char *library_name)
{
    for (size_t i = 0; i < SUITES13; i++)
        if (strcmp(library_name, suites13[i].library_name) == 0)
            return suites13[i].name;
    return library_name;
}

enum assay_error tls_ciphers_check(const char *ciphers, struct slice *fault)
{
    struct tls_ciphers parsed;

    return tls_ciphers_parse(ciphers, &parsed, fault);
}

enum assay_error tls_cipher_preference(const char *ciphers, enum tls_preference *out)
{
    struct tls_ciphers parsed;
    struct slice fault;
    enum assay_error error = tls_ciphers_parse(ciphers, &parsed, &fault);

    if (error == ASSAY_OK)
        *out = parsed.preference;
    return error;
}
