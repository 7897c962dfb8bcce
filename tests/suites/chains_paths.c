/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chains.h"

enum { AT_LEAF, AT_INT, AT_ROOT };
static const char *const places[] = {"leaf", "intermediate", "root"};

/* The everyday chain with one certificate in place of its own. */
static struct chain_case with(int place, struct slice der, enum x509_reason expected, const char *source)
{
    struct chain_case one = {.source = source, .expected = expected, .trust = {ROOT}, .chain = {LEAF, INT}};

    if (place == AT_ROOT)
        one.trust[0] = der;
    else
        one.chain[place] = der;
    return one;
}

static struct forge base_of(int place)
{
    return place == AT_LEAF ? chains_leaf() : place == AT_INT ? chains_int() : chains_root();
}

/* RFC 5280 §6.1.3 (a)(2), §4.1.2.5: both ends belong to the validity, to the second. */
static void validity(struct chain_list *list)
{
    static const struct {
        const char *name;
        int64_t not_before, not_after;
        enum x509_reason expected;
    } times[] = {
        {"expired a second ago", FORGE_BEFORE, FORGE_NOW - 1, X509_REASON_EXPIRED},
        {"expired a day ago", FORGE_BEFORE, FORGE_NOW - 86400, X509_REASON_EXPIRED},
        {"expired in another century", -100000000, 946684799, X509_REASON_EXPIRED},
        {"valid in a second", FORGE_NOW + 1, FORGE_AFTER, X509_REASON_NOT_YET_VALID},
        {"valid in a day", FORGE_NOW + 86400, FORGE_AFTER, X509_REASON_NOT_YET_VALID},
        {"from now on", FORGE_NOW, FORGE_AFTER, X509_REASON_OK},
        {"until now", FORGE_BEFORE, FORGE_NOW, X509_REASON_OK},
        {"for this second", FORGE_NOW, FORGE_NOW, X509_REASON_OK},
        {"beyond 2050", FORGE_BEFORE, 4000000000, X509_REASON_OK},
    };

    for (int place = AT_LEAF; place <= AT_ROOT; place++)
        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
            struct forge what = base_of(place);
            struct chain_case one;

            what.not_before = times[i].not_before;
            what.not_after = times[i].not_after;
            one = with(place, forge_certificate(&what), times[i].expected, "RFC 5280 6.1.3 (a)(2)");
            chains_add(list, &one, "validity/%s %s", places[place], times[i].name);
        }
}

/* RFC 5280 §4.1, §4.2: certificates that no reading allows, in a leaf's place and in an issuer's. */
static void encoding(struct chain_list *list)
{
    struct slice ec_explicit = forge_hex("3013 0607 2a8648ce3d0201 3008 020101 3003 06012a");
    const struct {
        const char *name, *source;
        struct forge change; /* the fields that are set */
    } faults[] = {
        {"data behind it", "X.690 8.1", {.trailing = forge_hex("00")}},
        {"version 1 spelled out", "X.690 11.5", {.version = forge_hex("a003020100")}},
        {"version 4", "RFC 5280 4.1.2.1", {.version = forge_hex("a003020103")}},
        {"version 2 with extensions", "RFC 5280 4.1.2.9", {.version = forge_hex("a003020101")}},
        {"a negative serial number", "RFC 5280 4.1.2.2", {.serial = forge_hex("0201ff")}},
        {"a serial number of 21 octets",
         "RFC 5280 4.1.2.2",
         {.serial = forge_hex("0215 010203040506070809101112131415161718192021")}},
        {"a serial number with a leading zero", "X.690 8.3.2", {.serial = forge_hex("02020001")}},
        {"two signature algorithms",
         "RFC 5280 4.1.1.2",
         {.inner_algorithm = forge_algorithm(forge_key(FORGE_P256, 0), 384, false)}},
        {"an empty issuer", "RFC 5280 4.1.2.4", {.issuer_name = forge_hex("3000")}},
        {"a date without seconds",
         "RFC 5280 4.1.2.5.1",
         {.validity = FORGE_TLV(0x30, forge_text(0x17, "2301010000Z"), forge_text(0x17, "300101000000Z"))}},
        {"a date with a zone",
         "RFC 5280 4.1.2.5.1",
         {.validity = FORGE_TLV(0x30, forge_text(0x17, "230101000000+0100"), forge_text(0x17, "300101000000Z"))}},
        {"a fraction of a second",
         "RFC 5280 4.1.2.5.2",
         {.validity = FORGE_TLV(0x30, forge_text(0x18, "20230101000000.5Z"), forge_text(0x17, "300101000000Z"))}},
        {"the 30th of February",
         "RFC 5280 4.1.2.5",
         {.validity = FORGE_TLV(0x30, forge_text(0x17, "230230000000Z"), forge_text(0x17, "300101000000Z"))}},
        {"explicit curve parameters", "RFC 5480 2.1.1", {.spki = FORGE_TLV(0x30, ec_explicit, forge_hex("03020004"))}},
        {"no extensions in their field", "RFC 5280 4.1.2.9", {.extensions_field = forge_hex("a302 3000")}},
    };

    for (int place = AT_LEAF; place <= AT_INT; place++)
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            const struct forge *change = &faults[i].change;
            struct forge what = base_of(place);
            struct chain_case one;

            if (change->trailing.len > 0)
                what.trailing = change->trailing;
            if (change->version.len > 0)
                what.version = change->version;
            if (change->serial.len > 0)
                what.serial = change->serial;
            if (change->inner_algorithm.len > 0)
                what.inner_algorithm = change->inner_algorithm;
            if (change->issuer_name.len > 0)
                what.issuer_name = change->issuer_name;
            if (change->validity.len > 0)
                what.validity = change->validity;
            if (change->spki.len > 0)
                what.spki = change->spki;
            if (change->extensions_field.len > 0)
                what.extensions_field = change->extensions_field;
            one = with(place, forge_certificate(&what), X509_REASON_MALFORMED, faults[i].source);
            chains_add(list, &one, "encoding/%s: %s", places[place], faults[i].name);
        }
}

/* RFC 5280 §4.2: extensions. {which, hex of a whole Extension's value} */
static void extensions(struct chain_list *list)
{
    struct slice unknown = forge_extension("1.2.3.4", true, forge_hex("0500"));
    struct slice harmless = forge_extension("1.2.3.4", false, forge_hex("0500"));
    struct slice twice = forge_extension("1.2.3.5", false, forge_hex("0500"));
    struct slice lax = forge_extension("2.5.29.19", false, FORGE_TLV(0x30, forge_hex("0101ff")));
    struct slice no_ca = forge_extension("2.5.29.19", true, FORGE_TLV(0x30, NONE));
    struct slice ber_true = forge_extension("2.5.29.19", true, FORGE_TLV(0x30, forge_hex("010101")));
    struct slice critical_aki = forge_extension("2.5.29.35", true, FORGE_TLV(0x30, forge_text(0x80, "I")));
    const struct {
        const char *name, *source;
        int place, slot;
        struct slice extension;
        enum x509_reason expected;
    } cases[] = {
        {"unknown critical", "RFC 5280 4.2", AT_LEAF, 5, unknown, X509_REASON_UNKNOWN_CRITICAL_EXTENSION},
        {"unknown critical", "RFC 5280 4.2", AT_INT, 5, unknown, X509_REASON_UNKNOWN_CRITICAL_EXTENSION},
        {"unknown critical", "RFC 5280 4.2", AT_ROOT, 5, unknown, X509_REASON_UNKNOWN_CRITICAL_EXTENSION},
        {"critical authorityInfoAccess", "RFC 5280 4.2.2.1", AT_LEAF, 5,
         forge_extension("1.3.6.1.5.5.7.1.1", true, forge_hex("300a 3008 06022a03 8602 7661")),
         X509_REASON_UNKNOWN_CRITICAL_EXTENSION},
        {"critical authorityKeyIdentifier", "RFC 5280 4.2.1.1", AT_LEAF, 1, critical_aki, X509_REASON_MALFORMED},
        {"keyUsage of nothing", "RFC 5280 4.2.1.3", AT_LEAF, 2, forge_extension("2.5.29.15", true, forge_hex("030100")),
         X509_REASON_MALFORMED},
        {"keyUsage for CRLs only", "RFC 5280 4.2.1.3", AT_LEAF, 2, forge_usage(X509_KU_CRL_SIGN), X509_REASON_PURPOSE},
        {"keyUsage for certificates only", "RFC 8446 4.4.2.2", AT_LEAF, 2, forge_usage(X509_KU_KEY_CERT_SIGN),
         X509_REASON_PURPOSE},
        {"no basicConstraints", "RFC 5280 6.1.4 (k)", AT_INT, 0, harmless, X509_REASON_NOT_A_CA},
        {"cA FALSE", "RFC 5280 6.1.4 (k)", AT_INT, 0, no_ca, X509_REASON_NOT_A_CA},
        {"cA in BER", "X.690 11.1", AT_INT, 0, ber_true, X509_REASON_MALFORMED},
        {"no keyCertSign", "RFC 5280 6.1.4 (n)", AT_INT, 3, forge_usage(X509_KU_CRL_SIGN), X509_REASON_CA_KEY_USAGE},
        {"no basicConstraints", "RFC 5280 4.2.1.9", AT_ROOT, 0, harmless, X509_REASON_NOT_A_CA},
        {"cA FALSE", "RFC 5280 4.2.1.9", AT_ROOT, 0, no_ca, X509_REASON_NOT_A_CA},
        {"no keyCertSign", "RFC 5280 4.2.1.3", AT_ROOT, 2, forge_usage(X509_KU_CRL_SIGN), X509_REASON_CA_KEY_USAGE},
        {"unknown", "RFC 5280 4.2", AT_LEAF, 5, harmless, X509_REASON_OK},
        {"unknown", "RFC 5280 4.2", AT_INT, 5, harmless, X509_REASON_OK},
        {"two unknown", "RFC 5280 4.2", AT_LEAF, 5, forge_join(harmless, twice), X509_REASON_OK},
        {"basicConstraints not critical", "RFC 5280 6.1.4 (k)", AT_INT, 0, lax, X509_REASON_OK},
        {"basicConstraints not critical", "RFC 5280 6.1.4 (k)", AT_ROOT, 0, lax, X509_REASON_OK},
        {"no keyUsage", "RFC 5280 6.1.4 (n)", AT_INT, 3, harmless, X509_REASON_OK},
        {"no keyUsage", "RFC 5280 4.2.1.3", AT_LEAF, 2, harmless, X509_REASON_OK},
        {"no authorityKeyIdentifier", "RFC 4158 3.5.12", AT_LEAF, 1, harmless, X509_REASON_OK},
        {"another authorityKeyIdentifier", "RFC 4158 3.5.12", AT_LEAF, 1, forge_aki("other"), X509_REASON_OK},
        {"cA TRUE as a server's", "RFC 5280 6.1.5", AT_LEAF, 3, forge_ca(-1), X509_REASON_OK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct forge what = base_of(cases[i].place);
        struct chain_case one;
        size_t slot = (size_t)cases[i].slot;

        while (slot > 0 && what.extensions[slot - 1].len == 0)
            slot--;
        what.extensions[slot] = cases[i].extension;
        one = with(cases[i].place, forge_certificate(&what), cases[i].expected, cases[i].source);
        chains_add(list, &one, "extension/%s: %s", places[cases[i].place], cases[i].name);
    }
    for (int place = AT_LEAF; place <= AT_INT; place++) {
        struct forge what = base_of(place);
        struct chain_case one;

        what.extensions[4] = what.extensions[3].len > 0 ? twice : NONE;
        what.extensions[what.extensions[4].len > 0 ? 4 : 3] = forge_join(twice, twice);
        one = with(place, forge_certificate(&what), X509_REASON_MALFORMED, "RFC 5280 4.2");
        chains_add(list, &one, "extension/%s: one twice", places[place]);
    }
}

/* RFC 5280 §6.1.4 (l), (m): n intermediates, one of them with a limit. self: those below it are self-issued, which does not
 * count. */
static void path_length_case(struct chain_list *list, int n, int at, int limit, bool self)
{
    static const char *const names[] = {"R", "A", "B", "C", "D", "E"};
    struct chain_case one = {.source = "RFC 5280 6.1.4 (l), (m)", .trust = {ROOT}};
    int below = self ? 0 : n - at;

    for (int i = 1; i <= n; i++) { /* from the root down */
        const char *issuer = self && i > at ? names[at] : names[i - 1],
                   *subject = self && i > at ? names[at] : names[i];
        struct forge ca = {.subject = subject,
                           .issuer = issuer,
                           .key = forge_key(FORGE_P256, (unsigned)(i + 3)),
                           .signer = i == 1 ? chains_root_key() : forge_key(FORGE_P256, (unsigned)(i + 2)),
                           .extensions = {forge_ca(i == at ? limit : -1)}};

        one.chain[n - i + 1] = forge_certificate(&ca);
    }
    one.chain[0] = FORGED(chains_leaf, what.issuer = self ? names[at] : names[n],
                          what.signer = forge_key(FORGE_P256, (unsigned)(n + 3)), what.extensions[1] = forge_aki("x"));
    one.expected = below > limit ? X509_REASON_PATH_LENGTH : X509_REASON_OK;
    chains_add(list, &one, "pathlen/%d intermediates%s, the %d. allows %d", n, self ? ", self-issued" : "", at, limit);
}

static void path_length(struct chain_list *list)
{
    for (int refused = 1; refused >= 0; refused--)
        for (int n = 1; n <= 4; n++)
            for (int at = 1; at <= n; at++)
                for (int limit = 0; limit <= 3; limit++)
                    if ((n - at > limit) == (refused == 1))
                        path_length_case(list, n, at, limit, false);
    for (int n = 2; n <= 4; n++)
        path_length_case(list, n, 1, 0, true);
}

/* RFC 5280 §4.2.1.12: each extKeyUsage there is must allow the purpose. */
static void purposes(struct chain_list *list)
{
    struct slice server = forge_oid(FORGE_SERVER_AUTH), client = forge_oid(FORGE_CLIENT_AUTH);
    const struct {
        const char *name;
        struct slice oids;
        bool server, client;
    } usages[] = {
        {"mail", forge_oid("1.3.6.1.5.5.7.3.4"), false, false},
        {"client", client, false, true},
        {"server", server, true, false},
        {"both", forge_join(server, client), true, true},
        {"any", forge_oid("2.5.29.37.0"), true, true},
        {"none", NONE, true, true},
    };

    for (int purpose = 0; purpose < 2; purpose++)
        for (size_t i = 0; i < 6; i++)
            for (size_t k = 0; k < 6; k++) {
                bool leaf_good = purpose ? usages[i].client : usages[i].server;
                bool int_good = purpose ? usages[k].client : usages[k].server;
                struct chain_case one = {.source = "RFC 5280 4.2.1.12", .trust = {ROOT}};
                struct forge leaf = chains_leaf(), middle = chains_int();

                if (usages[i].oids.len > 0)
                    leaf.extensions[3] = forge_extension("2.5.29.37", false, FORGE_TLV(0x30, usages[i].oids));
                if (usages[k].oids.len > 0)
                    middle.extensions[4] = forge_extension("2.5.29.37", false, FORGE_TLV(0x30, usages[k].oids));
                one.chain[0] = forge_certificate(&leaf);
                one.chain[1] = forge_certificate(&middle);
                one.purpose = purpose ? X509_PURPOSE_CLIENT : X509_PURPOSE_SERVER;
                one.expected = leaf_good && int_good ? X509_REASON_OK : X509_REASON_PURPOSE;
                chains_add(list, &one, "eku/as %s: leaf %s, intermediate %s", purpose ? "client" : "server",
                           usages[i].name, usages[k].name);
            }
}

/* RFC 4158: what is presented beside the path, and how; renewed and cross-signed CAs (MRA S10). */
static void building(struct chain_list *list)
{
    struct slice other_root = FORGED(chains_root, what.subject = "Other", what.key = forge_key(FORGE_P256, 9));
    struct slice unrelated = forge_certificate(&(struct forge){.subject = "x", .key = forge_key(FORGE_P256, 8)});
    struct slice expired_int = FORGED(chains_int, what.not_after = FORGE_NOW - 1, what.serial = forge_integer(9));
    struct slice twin_key = FORGED(chains_int, what.key = forge_key(FORGE_P256, 7));
    struct slice expired_root = FORGED(chains_root, what.not_after = FORGE_NOW - 1);
    struct slice cross = FORGED(chains_root, what.issuer = "Other", what.signer = forge_key(FORGE_P256, 9));
    struct slice int_by_other = FORGED(chains_int, what.issuer = "Other", what.signer = forge_key(FORGE_P256, 9),
                                       what.extensions[2] = forge_aki("R"));
    struct slice loop_a = FORGED(chains_int, what.issuer = "X", what.signer = forge_key(FORGE_P256, 5));
    struct slice loop_b = forge_certificate(&(struct forge){.subject = "X",
                                                            .issuer = "I",
                                                            .key = forge_key(FORGE_P256, 5),
                                                            .signer = chains_int_key(),
                                                            .extensions = {forge_ca(-1)}});
    struct slice self =
        FORGED(chains_leaf, what.issuer = NULL, what.signer = NULL, what.extensions[1] = forge_ski("S"));
    struct slice below = FORGED(chains_leaf, what.subject = "below", what.issuer = "leaf",
                                what.key = forge_key(FORGE_P256, 6), what.signer = chains_leaf_key());
    const struct {
        const char *name;
        struct slice trust[3], chain[6];
        enum x509_reason expected;
    } cases[] = {
        {"the intermediate is missing", {ROOT}, {LEAF}, X509_REASON_UNKNOWN_ISSUER},
        {"another root is trusted", {other_root}, {LEAF, INT}, X509_REASON_UNKNOWN_ISSUER},
        {"the untrusted root is sent", {other_root}, {LEAF, INT, ROOT}, X509_REASON_SELF_SIGNED_IN_CHAIN},
        {"a self-signed leaf", {ROOT}, {self}, X509_REASON_SELF_SIGNED_LEAF},
        {"a leaf issued by the leaf", {ROOT}, {below, LEAF, INT}, X509_REASON_NOT_A_CA},
        {"a loop of two CAs", {ROOT}, {LEAF, loop_a, loop_b}, X509_REASON_UNKNOWN_ISSUER},
        {"the expired intermediate alone", {ROOT}, {LEAF, expired_int}, X509_REASON_EXPIRED},
        {"the expired root alone", {expired_root}, {LEAF, INT}, X509_REASON_EXPIRED},
        {"a namesake with another key", {ROOT}, {LEAF, twin_key}, X509_REASON_BAD_SIGNATURE},
        {"in order", {ROOT}, {LEAF, INT}, X509_REASON_OK},
        {"with the root", {ROOT}, {LEAF, INT, ROOT}, X509_REASON_OK},
        {"the root before the intermediate", {ROOT}, {LEAF, ROOT, INT}, X509_REASON_OK},
        {"the intermediate twice", {ROOT}, {LEAF, INT, INT}, X509_REASON_OK},
        {"an unrelated certificate between", {ROOT}, {LEAF, unrelated, INT}, X509_REASON_OK},
        {"the leaf twice", {ROOT}, {LEAF, LEAF, INT}, X509_REASON_OK},
        {"the expired twin first", {ROOT}, {LEAF, expired_int, INT}, X509_REASON_OK},
        {"the expired twin behind", {ROOT}, {LEAF, INT, expired_int}, X509_REASON_OK},
        {"a namesake with another key first", {ROOT}, {LEAF, twin_key, INT}, X509_REASON_OK},
        {"the expired root beside the renewed", {expired_root, ROOT}, {LEAF, INT}, X509_REASON_OK},
        {"the renewed root beside the expired", {ROOT, expired_root}, {LEAF, INT}, X509_REASON_OK},
        {"by a cross-signed root", {other_root}, {LEAF, INT, cross}, X509_REASON_OK},
        {"by a cross-signed intermediate", {other_root}, {LEAF, INT, int_by_other}, X509_REASON_OK},
        {"the loop beside the way out", {ROOT}, {LEAF, loop_a, loop_b, INT}, X509_REASON_OK},
        {"the intermediate is in the store", {ROOT, INT}, {LEAF}, X509_REASON_OK},
        {"the self-signed leaf is trusted", {self}, {self}, X509_REASON_OK},
        {"a direct child of the root",
         {ROOT},
         {FORGED(chains_leaf, what.issuer = "R", what.signer = chains_root_key(), what.extensions[1] = forge_aki("R"))},
         X509_REASON_OK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct chain_case one = {.source = "RFC 4158 2.4, RFC 5280 6.1", .expected = cases[i].expected};

        for (size_t k = 0; k < 3; k++)
            one.trust[k] = cases[i].trust[k];
        for (size_t k = 0; k < 6; k++)
            one.chain[k] = cases[i].chain[k];
        chains_add(list, &one, "build/%s", cases[i].name);
    }
}

void chains_paths(struct chain_list *list)
{
    validity(list);
    encoding(list);
    extensions(list);
    path_length(list);
    purposes(list);
    building(list);
}
