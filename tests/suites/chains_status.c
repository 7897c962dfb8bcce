/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chains.h"

#define SERIAL 0x1234 /* forge's default, the leaf's */

/* --- RFC 5280 §6.3 ---------------------------------------------------------------------------------------------------------------- */

static struct slice crl(struct forge_crl what)
{
    return forge_crl(&what);
}

#define BY_I(...) crl((struct forge_crl){.issuer = "I", .signer = chains_int_key(), __VA_ARGS__})
#define BY_R(...) crl((struct forge_crl){.issuer = "R", .signer = chains_root_key(), __VA_ARGS__})

static void lists(struct chain_list *list)
{
    struct slice of_root = BY_R(.digest = 256), listed = forge_revoked(forge_integer(SERIAL), FORGE_NOW - 60, NONE);
    struct slice beside = forge_join(forge_revoked(forge_integer(SERIAL - 1), FORGE_NOW - 60, NONE),
                                     forge_revoked(forge_integer(SERIAL + 1), FORGE_NOW - 60, forge_reason(1)));
    struct slice delta = forge_extension("2.5.29.27", true, forge_integer(1));
    struct slice unknown = forge_extension("1.2.3", true, forge_hex("0500"));
    struct slice cas = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8201ff")));
    struct slice users = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8101ff")));
    struct slice attributes = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8501ff")));
    struct slice hold = forge_revoked(forge_integer(SERIAL), FORGE_NOW - 60, forge_reason(6));
    struct slice int_listed = forge_revoked(forge_integer(0x77), FORGE_NOW - 60, forge_reason(2));
    struct slice odd_entry = forge_revoked(forge_integer(1), FORGE_NOW - 60, unknown);
    struct slice by_x = crl((struct forge_crl){.issuer = "I", .signer = forge_key(FORGE_P256, 9), .revoked = listed});
    const struct {
        const char *name, *source;
        struct slice crls[3];
        enum x509_reason expected;
    } cases[] = {
        {"the leaf is on it", "RFC 5280 6.3.3 (i)", {of_root, BY_I(.revoked = listed)}, X509_REASON_REVOKED},
        {"the leaf is on hold", "RFC 5280 6.3.3 (i)", {of_root, BY_I(.revoked = hold)}, X509_REASON_REVOKED},
        {"the leaf among others",
         "RFC 5280 6.3.3 (i)",
         {of_root, BY_I(.revoked = forge_join(beside, listed))},
         X509_REASON_REVOKED},
        {"the intermediate is on it",
         "RFC 5280 6.3.3 (i)",
         {BY_R(.revoked = int_listed), BY_I(.digest = 256)},
         X509_REASON_REVOKED},
        {"none of the leaf's issuer", "RFC 5280 6.3.3", {of_root}, X509_REASON_NO_CRL},
        {"none of the intermediate's issuer", "RFC 5280 6.3.3", {BY_I(.digest = 256)}, X509_REASON_NO_CRL},
        {"expired", "RFC 5280 6.3.3 (a)", {of_root, BY_I(.next_update_s = FORGE_NOW - 1)}, X509_REASON_CRL_EXPIRED},
        {"not yet valid", "RFC 5280 5.1.2.4", {of_root, BY_I(.this_update = FORGE_NOW + 60)}, X509_REASON_NO_CRL},
        {"without nextUpdate", "RFC 5280 5.1.2.5", {of_root, BY_I(.next_update = slice_of("", 0))}, X509_REASON_NO_CRL},
        {"a wrong signature", "RFC 5280 6.3.3 (g)", {of_root, BY_I(.break_signature = true)}, X509_REASON_NO_CRL},
        {"by another's key", "RFC 5280 6.3.3 (f)", {of_root, by_x}, X509_REASON_NO_CRL},
        {"a delta alone", "RFC 5280 5.2.4", {of_root, BY_I(.extensions = {delta})}, X509_REASON_NO_CRL},
        {"an unknown critical extension", "RFC 5280 5.2", {of_root, BY_I(.extensions = {unknown})}, X509_REASON_NO_CRL},
        {"an entry with an unknown critical extension",
         "RFC 5280 5.3",
         {of_root, BY_I(.revoked = odd_entry)},
         X509_REASON_NO_CRL},
        {"for CAs only", "RFC 5280 6.3.3 (b)(2)", {of_root, BY_I(.extensions = {cas})}, X509_REASON_NO_CRL},
        {"for attributes only",
         "RFC 5280 6.3.3 (b)(2)",
         {of_root, BY_I(.extensions = {attributes})},
         X509_REASON_NO_CRL},
        {"the root's for users only",
         "RFC 5280 6.3.3 (b)(2)",
         {BY_R(.extensions = {users}), BY_I(.digest = 256)},
         X509_REASON_NO_CRL},
        {"data behind it", "X.690 8.1", {of_root, BY_I(.trailing = forge_hex("00"))}, X509_REASON_NO_CRL},
        {"nothing on it", "RFC 5280 6.3.3", {of_root, BY_I(.digest = 256)}, X509_REASON_OK},
        {"others on it", "RFC 5280 6.3.3", {of_root, BY_I(.revoked = beside)}, X509_REASON_OK},
        {"for users only", "RFC 5280 6.3.3 (b)(2)", {of_root, BY_I(.extensions = {users})}, X509_REASON_OK},
        {"to the second",
         "RFC 5280 6.3.3 (a)",
         {of_root, BY_I(.this_update = FORGE_NOW, .next_update_s = FORGE_NOW)},
         X509_REASON_OK},
        {"the leaf's serial on the root's",
         "RFC 5280 5.1.2.3",
         {BY_R(.revoked = listed), BY_I(.digest = 256)},
         X509_REASON_OK},
        {"a newer one without the hold",
         "RFC 5280 5.3.1",
         {of_root, BY_I(.this_update = FORGE_NOW - 90, .revoked = hold), BY_I(.this_update = FORGE_NOW - 30)},
         X509_REASON_OK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct chain_case one = {
            .source = cases[i].source, .expected = cases[i].expected, .trust = {ROOT}, .chain = {LEAF, INT}};

        for (size_t k = 0; k < 3; k++)
            one.crls[k] = cases[i].crls[k];
        chains_add(list, &one, "crl/%s", cases[i].name);
    }
}

/* --- RFC 9618 ----------------------------------------------------------------------------------------------------------------------- */

static struct slice policy(const char *oid)
{
    return FORGE_TLV(0x30, forge_oid(oid));
}

static struct slice policies(struct slice list)
{
    return forge_extension("2.5.29.32", false, FORGE_TLV(0x30, list));
}

static void demands(struct chain_list *list)
{
    struct slice demand = forge_extension("2.5.29.36", true, forge_hex("3003 800100"));
    struct slice later = forge_extension("2.5.29.36", true, forge_hex("3003 800103"));
    struct slice one = policies(policy("1.2.3.1")), two = policies(policy("1.2.3.2"));
    struct slice any = policies(policy("2.5.29.32.0"));
    struct slice pair = FORGE_TLV(0x30, forge_oid("1.2.3.1"), forge_oid("1.2.3.2"));
    struct slice map = forge_extension("2.5.29.33", true, FORGE_TLV(0x30, pair));
    struct slice map_any = forge_extension(
        "2.5.29.33", true, FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid("2.5.29.32.0"), forge_oid("1.2.3.2"))));
    struct slice no_any = forge_extension("2.5.29.54", true, forge_integer(0));
    const struct {
        const char *name;
        struct slice ca[3], leaf[2];
        enum x509_reason expected;
    } cases[] = {
        {"demanded, the leaf has none", {demand, one}, {NONE}, X509_REASON_NO_POLICY},
        {"demanded, nobody has any", {demand}, {NONE}, X509_REASON_NO_POLICY},
        {"demanded, the CA has none", {demand}, {one}, X509_REASON_NO_POLICY},
        {"demanded, the leaf has another", {demand, one}, {two}, X509_REASON_NO_POLICY},
        {"demanded, mapped away", {demand, one, map}, {one}, X509_REASON_NO_POLICY},
        {"demanded, any inhibited", {demand, one, no_any}, {any}, X509_REASON_NO_POLICY},
        {"demanded by the leaf", {one}, {two, demand}, X509_REASON_NO_POLICY},
        {"anyPolicy mapped", {any, map_any}, {two}, X509_REASON_INVALID_POLICY},
        {"demanded and there", {demand, one}, {one}, X509_REASON_OK},
        {"demanded, any below", {demand, one}, {any}, X509_REASON_OK},
        {"demanded, any above", {demand, any}, {two}, X509_REASON_OK},
        {"demanded and mapped", {demand, one, map}, {two}, X509_REASON_OK},
        {"demanded too late", {later, one}, {NONE}, X509_REASON_OK},
        {"not demanded", {one}, {two}, X509_REASON_OK},
        {"demanded by the leaf and there", {one}, {one, demand}, X509_REASON_OK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct chain_case what_is = {
            .source = "RFC 9618 5, RFC 5280 6.1", .expected = cases[i].expected, .trust = {ROOT}};
        struct slice below = forge_join(cases[i].leaf[0], cases[i].leaf[1]);
        struct slice of_ca = forge_join(forge_join(cases[i].ca[0], cases[i].ca[1]), cases[i].ca[2]);

        what_is.chain[0] = FORGED(chains_leaf, what.extensions[3] = below);
        what_is.chain[1] = FORGED(chains_int, what.extensions[4] = of_ca);
        chains_add(list, &what_is, "policy/%s", cases[i].name);
    }
}

/* --- profiles: see test_profile.c for each rule; here through whole paths ----------------------------------------------------------- */

static void profiles(struct chain_list *list)
{
    struct slice serial0 = forge_integer(0), bare = forge_purpose(FORGE_SERVER_AUTH);
    const struct {
        const char *name, *source;
        struct slice chain[2];
        enum x509_reason strict, web; /* rfc5280, webpki */
    } cases[] = {
        {"serial number 0",
         "RFC 5280 4.1.2.2",
         {FORGED(chains_leaf, what.serial = serial0), INT},
         X509_REASON_PROFILE,
         X509_REASON_PROFILE},
        {"no authorityKeyIdentifier",
         "RFC 5280 4.2.1.1",
         {FORGED(chains_leaf, what.extensions[1] = bare), INT},
         X509_REASON_PROFILE,
         X509_REASON_PROFILE},
        {"no extKeyUsage", "BR 7.1.2.7.10", {LEAF, INT}, X509_REASON_OK, X509_REASON_PROFILE},
        {"SHA-1",
         "BR 7.1.3.2",
         {FORGED(chains_leaf, what.digest = 1, what.extensions[3] = bare, what.subject = CHAINS_HOST), INT},
         X509_REASON_OK,
         X509_REASON_WEAK_DIGEST},
        {"RSA-1024",
         "BR 6.1.5",
         {FORGED(chains_leaf, what.key = forge_key(FORGE_RSA1024, 5), what.extensions[3] = bare,
                 what.subject = CHAINS_HOST),
          INT},
         X509_REASON_OK,
         X509_REASON_WEAK_KEY},
        {"a CN beside the SAN",
         "BR 7.1.4.3",
         {FORGED(chains_leaf, what.extensions[3] = bare), INT},
         X509_REASON_OK,
         X509_REASON_PROFILE},
        {"two years",
         "BR 6.3.2",
         {FORGED(chains_leaf, what.extensions[3] = bare, what.subject = CHAINS_HOST), INT},
         X509_REASON_OK,
         X509_REASON_PROFILE},
        {"right",
         "BR 7.1.2.7",
         {FORGED(chains_leaf, what.extensions[3] = bare, what.subject = CHAINS_HOST, what.not_before = FORGE_NOW - 9),
          INT},
         X509_REASON_OK,
         X509_REASON_OK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int web = 0; web < 2; web++) {
            struct chain_case one = {.source = cases[i].source,
                                     .profile = web ? X509_PROFILE_WEBPKI : X509_PROFILE_RFC5280,
                                     .expected = web ? cases[i].web : cases[i].strict,
                                     .trust = {ROOT},
                                     .chain = {cases[i].chain[0], cases[i].chain[1]}};

            chains_add(list, &one, "profile/%s, %s", web ? "webpki" : "rfc5280", cases[i].name);
        }
}

void chains_status(struct chain_list *list)
{
    lists(list);
    demands(list);
    profiles(list);
}
