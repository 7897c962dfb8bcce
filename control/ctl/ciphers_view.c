/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/ciphers_view.h"

#include <string.h>

#include "tls/ciphers.h"
#include "ctl/print.h"

static const struct {
    uint16_t scheme;
    const char *name;
} schemes[] = {
    /* RFC 8446 §4.2.3 */
    {0x0403, "ecdsa_secp256r1_sha256"}, {0x0503, "ecdsa_secp384r1_sha384"},
    {0x0603, "ecdsa_secp521r1_sha512"}, {0x0807, "ed25519"},
    {0x0804, "rsa_pss_rsae_sha256"},    {0x0805, "rsa_pss_rsae_sha384"},
    {0x0806, "rsa_pss_rsae_sha512"},    {0x0401, "rsa_pkcs1_sha256"},
    {0x0501, "rsa_pkcs1_sha384"},       {0x0601, "rsa_pkcs1_sha512"},
};

static const char *kind(enum tls_preference preference)
{
    return preference == TLS_PREFER_RSA ? "RSA" : "ECDSA";
}

/* --- the string --------------------------------------------------------------------------------------------------------- */

static void add_suites(const struct tls_ciphers *ciphers, json_t *tls13, json_t *tls12)
{
    const char *at = ciphers->names;

    while (*at != '\0') {
        char name[64];
        size_t len = strcspn(at, ":");

        snprintf(name, sizeof(name), "%.*s", (int)len, at);
        json_array_append_new(strncmp(name, "TLS13-", 6) == 0 ? tls13 : tls12,
                              json_string(tls_ciphers_common_name(name)));
        at += len + (at[len] == ':');
    }
}

static json_t *signature_algorithms(const struct tls_ciphers *ciphers)
{
    json_t *out = json_array();

    for (size_t i = 0; i < ciphers->signature_count; i++)
        for (size_t k = 0; k < sizeof(schemes) / sizeof(schemes[0]); k++)
            if (schemes[k].scheme == ciphers->signatures[i])
                json_array_append_new(out, json_string(schemes[k].name));
    return out;
}

static void add_offer(json_t *out, const struct tls_ciphers *ciphers, bool tls12_allowed)
{
    json_t *tls13 = json_array(), *tls12 = json_array(), *offers = json_array();
    bool neither = !ciphers->has_rsa && !ciphers->has_ecdsa; /* no suite of TLS 1.2: 1.3 takes both */
    enum tls_preference order[2] = {ciphers->preference,
                                    ciphers->preference == TLS_PREFER_RSA ? TLS_PREFER_ECDSA : TLS_PREFER_RSA};

    add_suites(ciphers, tls13, tls12);
    for (int i = 0; i < 2; i++)
        if (neither || (order[i] == TLS_PREFER_RSA ? ciphers->has_rsa : ciphers->has_ecdsa))
            json_array_append_new(offers, json_string(kind(order[i])));
    json_object_set_new(out, "prefers", json_string(kind(ciphers->preference)));
    json_object_set_new(out, "offers", offers);
    json_object_set_new(out, "tls13",
                        json_pack("{s:o,s:o}", "suites", tls13, "signature_algorithms", signature_algorithms(ciphers)));
    if (ciphers->has_tls12 && tls12_allowed) {
        json_object_set_new(out, "tls12", json_pack("{s:o}", "suites", tls12));
        return;
    }
    json_object_set_new(out, "tls12", json_null());
    json_decref(tls12);
}

/* --- origins ------------------------------------------------------------------------------------------------------------ */

static bool same_origin(const json_t *a, const json_t *b)
{
    return strcmp(ctl_text(a, "node"), ctl_text(b, "node")) == 0 &&
           strcmp(ctl_text(a, "address"), ctl_text(b, "address")) == 0 &&
           json_integer_value(json_object_get(a, "port")) == json_integer_value(json_object_get(b, "port"));
}

/* What the same origin showed when the other key type was preferred, where that was another certificate. */
static const json_t *other_row(const json_t *rows, const json_t *row)
{
    const json_t *other;
    size_t i;

    json_array_foreach(rows, i, other) if (other != row && same_origin(other, row) &&
                                           !json_is_true(json_object_get(other, "now")) &&
                                           json_object_get(other, "key_type") != NULL) return other;
    return NULL;
}

/* shown: the key type that came, as a kind of certificate. */
static json_t *why(const json_t *view, const char *shown, const json_t *other)
{
    const char *prefers = ctl_text(view, "prefers"), *unwanted = strcmp(prefers, "RSA") == 0 ? "ECDSA" : "RSA";
    bool as_preferred = strcmp(shown, prefers) == 0;

    if (json_array_size(json_object_get(view, "offers")) == 1)
        return json_sprintf("the string leaves %s certificates out", unwanted);
    if (other != NULL && strcmp(ctl_text(other, "key_type"), strcmp(shown, "RSA") == 0 ? "EC" : "RSA") == 0)
        return json_sprintf(as_preferred
                                ? "%s is preferred; it has a certificate of each type and follows the preference"
                                : "it has a certificate of each type and follows an order of its own, not that "
                                  "%s is preferred",
                            prefers);
    if (!as_preferred)
        return json_sprintf("%s is preferred; it has no such certificate, or none that it may use", prefers);
    return json_sprintf(
        "%s is preferred; it shows the same when %s is: it has no other, or follows an order of its own", prefers,
        unwanted);
}

static const char *kind_of_key(const char *key_type)
{
    return strcmp(key_type, "EC") == 0 ? "ECDSA" : key_type;
}

static void add_probed(json_t *view, json_t *origins, const json_t *rows, const json_t *row)
{
    const char *key_type = ctl_text(row, "key_type");
    json_t *out = json_object();

    json_object_set_new(out, "host", json_string(ctl_text(row, "node")));
    json_object_set(out, "port", json_object_get(row, "port"));
    json_object_set(out, "address", json_object_get(row, "address"));
    if (key_type[0] == '\0') {
        json_object_set_new(out, "shows", json_null());
        json_object_set_new(out, "common_name", json_null());
        json_object_set_new(out, "why", json_string(ctl_text(row, "reason")));
    } else {
        json_object_set(out, "shows", json_object_get(row, "key"));
        json_object_set(out, "common_name", json_object_get(row, "common_name"));
        json_object_set_new(out, "why", why(view, kind_of_key(key_type), other_row(rows, row)));
    }
    json_object_set_new(out, "source", json_string("preflight"));
    json_array_append_new(origins, out);
}

static bool was_probed(const json_t *rows, const json_t *entry)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) if (strcmp(ctl_text(row, "node"), ctl_text(entry, "host")) == 0 &&
                                         json_integer_value(json_object_get(row, "port")) ==
                                             json_integer_value(json_object_get(entry, "port"))) return true;
    return false;
}

/* Traffic shows what came, not what would have come else. */
static void add_shown(json_t *view, json_t *origins, const json_t *entry)
{
    const json_t *leaf = json_array_get(json_object_get(entry, "certificates"), 0);
    const char *prefers = ctl_text(view, "prefers"), *shown = kind_of_key(ctl_text(leaf, "key_type"));
    json_t *out = json_object();

    json_object_set(out, "host", json_object_get(entry, "host"));
    json_object_set(out, "port", json_object_get(entry, "port"));
    json_object_set(out, "address", json_object_get(entry, "address"));
    json_object_set(out, "shows", json_object_get(leaf, "key"));
    json_object_set(out, "common_name", json_object_get(leaf, "common_name"));
    json_object_set_new(
        out, "why",
        strcmp(shown, prefers) == 0
            ? json_sprintf("%s is preferred (a preflight finds out what else it has)", prefers)
            : json_sprintf("%s is preferred; it has no such certificate, or none that it may use", prefers));
    json_object_set_new(out, "source", json_string("traffic"));
    json_array_append_new(origins, out);
}

static json_t *origins_of(json_t *view, const struct seen *seen)
{
    json_t *origins = json_array();
    const json_t *item;
    size_t i;

    json_array_foreach(seen->rows, i, item) if (json_is_true(json_object_get(item, "now")))
        add_probed(view, origins, seen->rows, item);
    json_array_foreach(seen->entries, i, item) if (!json_is_true(json_object_get(item, "superseded")) &&
                                                   !was_probed(seen->rows, item)) add_shown(view, origins, item);
    return origins;
}

json_t *ciphers_view(const struct seen *seen)
{
    const char *string = ctl_text(seen->ciphers, "string");
    struct tls_ciphers ciphers;
    struct slice fault;
    json_t *view;

    if (tls_ciphers_parse(string, &ciphers, &fault) != ASSAY_OK)
        return NULL;
    view = json_object();
    json_object_set_new(view, "string", json_string(string));
    json_object_set(view, "default", json_object_get(seen->ciphers, "default"));
    json_object_set(view, "lowest", json_object_get(seen->ciphers, "lowest"));
    add_offer(view, &ciphers, strcmp(ctl_text(seen->ciphers, "lowest"), "1.3") != 0);
    json_object_set_new(view, "origins", origins_of(view, seen));
    return view;
}
