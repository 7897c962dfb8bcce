/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rare forms that implementations read differently: spellings of names, counters of policies, lists in parts. */
#include "chains.h"

struct odd {
    const char *name, *source;
    struct slice leaf, ca; /* empty: the everyday ones */
    enum x509_reason expected;
};

static void add_all(struct chain_list *list, const char *group, const struct odd *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct chain_case one = {.source = cases[i].source, .expected = cases[i].expected, .trust = {ROOT}};

        one.chain[0] = cases[i].leaf.len > 0 ? cases[i].leaf : LEAF;
        one.chain[1] = cases[i].ca.len > 0 ? cases[i].ca : INT;
        chains_add(list, &one, "%s/%s", group, cases[i].name);
    }
}
#define ADD_ALL(group, cases) add_all(list, group, cases, sizeof(cases) / sizeof((cases)[0]))

/* --- names of subjects and issuers ---------------------------------------------------------------------------------------------- */

static struct slice attribute(const char *oid, struct slice value)
{
    return FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid(oid), value));
}

static struct slice cn_of(struct slice value)
{
    return FORGE_TLV(0x30, attribute("2.5.4.3", value));
}

/* RFC 5280 §7.1: the names are compared, not their octets. */
static void issuers(struct chain_list *list)
{
    struct slice o = attribute("2.5.4.10", forge_text(0x0c, "O")), i = attribute("2.5.4.3", forge_text(0x0c, "I"));
    struct slice two = FORGE_TLV(0x30, o, i), turned = FORGE_TLV(0x30, i, o);
    struct slice merged = FORGE_TLV(0x30, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, "I")),
                                                    FORGE_TLV(0x30, forge_oid("2.5.4.10"), forge_text(0x0c, "O"))));
#define ISSUED_BY(der) FORGED(chains_leaf, what.issuer_name = (der))
#define CA_NAMED(der)  FORGED(chains_int, what.subject_name = (der))
#define WHY_NAMES      "RFC 5280 7.1, 6.1.3 (a)(4)"
    const struct odd cases[] = {
        {"another type of attribute", WHY_NAMES,
         ISSUED_BY(FORGE_TLV(0x30, attribute("2.5.4.10", forge_text(0x0c, "I")))), NONE, X509_REASON_UNKNOWN_ISSUER},
        {"an RDN more", WHY_NAMES, ISSUED_BY(two), NONE, X509_REASON_UNKNOWN_ISSUER},
        {"an RDN less", WHY_NAMES, LEAF, CA_NAMED(two), X509_REASON_UNKNOWN_ISSUER},
        {"RDNs the other way around", WHY_NAMES, ISSUED_BY(turned), CA_NAMED(two), X509_REASON_UNKNOWN_ISSUER},
        {"two RDNs as one", WHY_NAMES, ISSUED_BY(merged), CA_NAMED(turned), X509_REASON_UNKNOWN_ISSUER},
        {"PrintableString for UTF8String", WHY_NAMES, ISSUED_BY(cn_of(forge_text(0x13, "I"))), NONE, X509_REASON_OK},
        {"BMPString for UTF8String", WHY_NAMES, ISSUED_BY(cn_of(forge_hex("1e020049"))), NONE, X509_REASON_OK},
        {"another case", WHY_NAMES, ISSUED_BY(cn_of(forge_text(0x0c, "i"))), NONE, X509_REASON_OK},
        {"other blanks", WHY_NAMES, ISSUED_BY(cn_of(forge_text(0x0c, " a  ca "))),
         CA_NAMED(cn_of(forge_text(0x13, "A CA"))), X509_REASON_OK},
        {"two RDNs", WHY_NAMES, ISSUED_BY(two), CA_NAMED(two), X509_REASON_OK},
    };

    ADD_ALL("issuer", cases);
}

/* RFC 5280 §4.1.2.6, RFC 9525 §6, MRA §4: what names the subject where there is no SAN, and where there is no subject. */
static void subjects(struct chain_list *list)
{
    struct slice san = FORGE_TLV(0x30, forge_dns(CHAINS_HOST)), bare = forge_purpose(FORGE_SERVER_AUTH);
    struct slice host = attribute("2.5.4.3", forge_text(0x0c, CHAINS_HOST));
    struct slice other = attribute("2.5.4.3", forge_text(0x0c, "other.lab")), empty = forge_hex("3000");
    struct slice bmp = forge_hex("1e1e 00630075 0063006d 002e0073 00740065 00760065 006e002e 006c0061 0062");
    struct slice nul = FORGE_TLV(0x0c, slice_of(CHAINS_HOST "\0.evil.lab", 25));
#define NAMED(der, extension) FORGED(chains_leaf, what.subject_name = (der), what.extensions[0] = (extension))
    const struct odd cases[] = {
        {"nothing names it", "RFC 5280 4.1.2.6", NAMED(empty, bare), NONE, X509_REASON_MALFORMED},
        {"a CA without a name", "RFC 5280 4.1.2.6", NONE, FORGED(chains_int, what.subject_name = empty),
         X509_REASON_MALFORMED},
        {"a NUL in the CN", "RFC 9525 6.1", NAMED(cn_of(nul), bare), NONE, X509_REASON_NAME_MISMATCH},
        {"the first CN of two", "RFC 9525 6.1: the most specific", NAMED(FORGE_TLV(0x30, host, other), bare), NONE,
         X509_REASON_NAME_MISMATCH},
        {"an octet string as CN", "RFC 5280 4.1.2.4", NAMED(cn_of(forge_text(0x04, CHAINS_HOST)), bare), NONE,
         X509_REASON_NAME_MISMATCH},
        {"an organization of that name", "RFC 9525 6.1",
         NAMED(FORGE_TLV(0x30, attribute("2.5.4.10", forge_text(0x0c, CHAINS_HOST))), bare), NONE,
         X509_REASON_NAME_MISMATCH},
        {"the last CN of two", "RFC 9525 6.1: the most specific", NAMED(FORGE_TLV(0x30, other, host), bare), NONE,
         X509_REASON_OK},
        {"the CN as BMPString", "RFC 5280 4.1.2.4", NAMED(cn_of(bmp), bare), NONE, X509_REASON_OK},
        {"the CN as PrintableString", "RFC 5280 4.1.2.4", NAMED(cn_of(forge_text(0x13, CHAINS_HOST)), bare), NONE,
         X509_REASON_OK},
        {"only the SAN", "RFC 5280 4.2.1.6", NAMED(empty, forge_extension("2.5.29.17", true, san)), NONE,
         X509_REASON_OK},
        {"only the SAN, not critical", "RFC 5280 4.2.1.6", NAMED(empty, forge_san(forge_dns(CHAINS_HOST))), NONE,
         X509_REASON_OK},
    };

    ADD_ALL("subject", cases);
}

/* --- encodings --------------------------------------------------------------------------------------------------------------------- */

static void encodings(struct chain_list *list)
{
    struct slice bare = forge_hex("300b 0609 2a864886f70d01010b"), null = forge_hex("300c 0608 2a8648ce3d040302 0500");
    void *rsa = forge_key(FORGE_RSA2048, 3);
#define FROM_TO(from, to) FORGED(chains_leaf, what.validity = FORGE_TLV(0x30, from, to))
    const struct odd cases[] = {
        {"parameters of ECDSA", "RFC 5758 3.2",
         FORGED(chains_leaf, what.inner_algorithm = null, what.outer_algorithm = null), NONE, X509_REASON_MALFORMED},
        {"the end before the beginning", "RFC 5280 6.1.3 (a)(2)",
         FORGED(chains_leaf, what.not_before = FORGE_NOW + 9, what.not_after = FORGE_NOW - 9), NONE,
         X509_REASON_NOT_YET_VALID},
        {"a UTCTime of 1950", "RFC 5280 4.1.2.5.1",
         FROM_TO(forge_text(0x17, "500101000000Z"), forge_text(0x17, "500102000000Z")), NONE, X509_REASON_EXPIRED},
        {"the year 0", "RFC 5280 4.1.2.5.2",
         FROM_TO(forge_text(0x18, "00000101000000Z"), forge_text(0x17, "300101000000Z")), NONE, X509_REASON_MALFORMED},
        {"the 61st second", "RFC 5280 4.1.2.5",
         FROM_TO(forge_text(0x17, "230101000060Z"), forge_text(0x17, "300101000000Z")), NONE, X509_REASON_MALFORMED},
        {"no parameters of RSA", "RFC 4055 5",
         FORGED(chains_leaf, what.signer = rsa, what.inner_algorithm = bare, what.outer_algorithm = bare),
         FORGED(chains_int, what.key = rsa), X509_REASON_OK},
        {"without an end", "RFC 5280 4.1.2.5",
         FROM_TO(forge_text(0x17, "230101000000Z"), forge_text(0x18, "99991231235959Z")), NONE, X509_REASON_OK},
        {"unique identifiers", "RFC 5280 4.1.2.8",
         FORGED(chains_leaf, what.unique_ids = forge_hex("81020001 82020002")), NONE, X509_REASON_OK},
    };

    ADD_ALL("encoding", cases);
}

/* --- RFC 5280 §4.2.1.10 ------------------------------------------------------------------------------------------------------------ */

static struct slice bad_base(const char *base)
{
    return FORGED(chains_int, what.extensions[4] = forge_constraints(NONE, forge_subtrees(1, forge_dns(base))));
}

static void constraints(struct chain_list *list)
{
    struct slice all4 = forge_hex("8708 00000000 00000000"),
                 all6 = forge_hex("8720 00000000000000000000000000000000 00000000000000000000000000000000");
    struct slice no4 = FORGED(chains_int, what.extensions[4] = forge_constraints(NONE, forge_subtrees(1, all4)));
    struct slice no6 = FORGED(chains_int, what.extensions[4] = forge_constraints(NONE, forge_subtrees(1, all6)));
    struct slice no_mail =
        FORGED(chains_int, what.extensions[4] = forge_constraints(NONE, forge_subtrees(1, forge_text(0x81, "b.lab"))));
    struct slice no_host =
        FORGED(chains_int, what.extensions[4] = forge_constraints(NONE, forge_subtrees(1, forge_dns(CHAINS_HOST))));
    struct slice steven =
        FORGED(chains_int, what.extensions[4] = forge_constraints(forge_subtrees(0, forge_dns("steven.lab")), NONE));
    struct slice o = FORGE_TLV(0xa4, FORGE_TLV(0x30, attribute("2.5.4.10", forge_text(0x0c, "A"))));
    struct slice only_a = FORGED(chains_int, what.extensions[4] = forge_constraints(forge_subtrees(0, o), NONE));
    struct slice empty = forge_hex("3000");
#define BESIDE(name)    FORGED(chains_leaf, what.extensions[0] = forge_san(forge_join(forge_dns(CHAINS_HOST), name)))
#define WHY_CONSTRAINTS "RFC 5280 4.2.1.10"
#define NO              X509_REASON_NAME_CONSTRAINT_EXCLUDED
    const struct odd cases[] = {
        {"a base with the root's dot", WHY_CONSTRAINTS, NONE, bad_base("steven.lab."), X509_REASON_MALFORMED},
        {"a URL as base", WHY_CONSTRAINTS, NONE, bad_base("https://steven.lab"), X509_REASON_MALFORMED},
        {"a base with a blank", WHY_CONSTRAINTS, NONE, bad_base(" steven.lab"), X509_REASON_MALFORMED},
        {"a dot as base", WHY_CONSTRAINTS, NONE, bad_base("."), X509_REASON_MALFORMED},
        {"a mail address without a host", WHY_CONSTRAINTS, BESIDE(forge_text(0x81, "root")), no_mail, NO},
        {"the CN where it is the name", WHY_CONSTRAINTS,
         FORGED(chains_leaf, what.subject = CHAINS_HOST, what.extensions[0] = forge_purpose(FORGE_SERVER_AUTH)),
         no_host, NO},
        {"a self-issued leaf", "RFC 5280 6.1.3 (b)", FORGED(chains_leaf, what.subject = "I"), no_host, NO},
        {"all of IPv4", WHY_CONSTRAINTS, BESIDE(forge_ip("192.0.2.1")), no4, NO},
        {"all of IPv6", WHY_CONSTRAINTS, BESIDE(forge_ip("2001:db8::1")), no6, NO},
        {"a subject outside", WHY_CONSTRAINTS, NONE, only_a, X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {"all of IPv4 against IPv6", WHY_CONSTRAINTS, BESIDE(forge_ip("2001:db8::1")), no4, X509_REASON_OK},
        {"a CN beside the SAN", "MRA 4: cn_match fallback", FORGED(chains_leaf, what.subject = "evil.lab"), steven,
         X509_REASON_OK},
        {"an empty subject", WHY_CONSTRAINTS, FORGED(chains_leaf, what.subject_name = empty), only_a, X509_REASON_OK},
    };
#undef NO

    ADD_ALL("constraint", cases);
}

/* --- RFC 5280 §6.1.4 (h) to (m): two CAs, the counters between them ------------------------------------------------------------------ */

static struct slice policy(const char *oid)
{
    return forge_extension("2.5.29.32", false, FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(oid))));
}

/* upper (I) below the root, lower below that: of its own name, or of the same. */
static void add_counted(struct chain_list *list, const char *name, struct slice upper, struct slice lower, bool self,
                        struct slice leaf, enum x509_reason expected)
{
    struct chain_case one = {
        .source = "RFC 5280 6.1.4 (b), (h) to (m), RFC 9618 5", .expected = expected, .trust = {ROOT}};
    const char *below = self ? "I" : "J";

    one.chain[2] = FORGED(chains_int, what.extensions[4] = upper);
    one.chain[1] = FORGED(chains_int, what.subject = below, what.issuer = "I", what.signer = chains_int_key(),
                          what.key = forge_key(FORGE_P256, 4), what.extensions[1] = forge_ski("J"),
                          what.extensions[2] = forge_aki("I"), what.extensions[4] = lower);
    one.chain[0] = FORGED(chains_leaf, what.issuer = below, what.signer = forge_key(FORGE_P256, 4),
                          what.extensions[1] = forge_aki("J"), what.extensions[3] = leaf);
    chains_add(list, &one, "policy/%s%s", name, self ? ", self-issued" : "");
}

static void counters(struct chain_list *list)
{
    struct slice one = policy("1.2.3.1"), two = policy("1.2.3.2"), any = policy("2.5.29.32.0");
    struct slice demand = forge_extension("2.5.29.36", true, forge_hex("3003 800100"));
    struct slice in_one = forge_extension("2.5.29.36", true, forge_hex("3003 800101"));
    struct slice in_two = forge_extension("2.5.29.36", true, forge_hex("3003 800102"));
    struct slice in_three = forge_extension("2.5.29.36", true, forge_hex("3003 800103"));
    struct slice no_map = forge_extension("2.5.29.36", true, forge_hex("3006 800100 810100"));
    struct slice map = forge_extension("2.5.29.33", true,
                                       FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid("1.2.3.1"), forge_oid("1.2.3.2"))));
    struct slice no_any = forge_extension("2.5.29.54", true, forge_integer(0));
    struct slice any_once = forge_join(forge_join(demand, any), no_any);

    add_counted(list, "demanded after one, nobody has any", in_one, NONE, false, NONE, X509_REASON_NO_POLICY);
    add_counted(list, "demanded after two, nobody has any", in_two, NONE, false, NONE, X509_REASON_NO_POLICY);
    add_counted(list, "demanded after three, nobody has any", in_three, NONE, false, NONE, X509_REASON_OK);
    add_counted(list, "demanded after one, nobody has any", in_one, NONE, true, NONE, X509_REASON_NO_POLICY);
    add_counted(list, "demanded after two, nobody has any", in_two, NONE, true, NONE, X509_REASON_OK);
    add_counted(list, "any inhibited below", any_once, any, false, one, X509_REASON_NO_POLICY);
    add_counted(list, "any inhibited below", any_once, any, true, one, X509_REASON_OK);
    add_counted(list, "mapped where that is inhibited", forge_join(no_map, one), forge_join(one, map), false, two,
                X509_REASON_NO_POLICY);
    add_counted(list, "mapped where it is not", forge_join(demand, one), forge_join(one, map), false, two,
                X509_REASON_OK);
    add_counted(list, "one that the upper has not", forge_join(demand, two), one, false, one, X509_REASON_NO_POLICY);
    add_counted(list, "one that all have", forge_join(demand, one), one, false, one, X509_REASON_OK);
}

/* --- RFC 5280 §6.3 ------------------------------------------------------------------------------------------------------------------- */

static struct slice crl(struct forge_crl what)
{
    return forge_crl(&what);
}

#define BY_I(...) crl((struct forge_crl){.issuer = "I", .signer = chains_int_key(), __VA_ARGS__})

static void lists(struct chain_list *list)
{
    struct slice of_root = crl((struct forge_crl){.issuer = "R", .signer = chains_root_key()});
    struct slice listed = forge_revoked(forge_integer(0x1234), FORGE_NOW - 60, NONE);
    struct slice point = FORGE_TLV(0xa0, FORGE_TLV(0xa0, forge_text(0x86, "http://crl.lab/1")));
    struct slice elsewhere = FORGE_TLV(0xa0, FORGE_TLV(0xa0, forge_text(0x86, "http://crl.lab/2")));
    struct slice pointed = FORGED(
        chains_leaf, what.extensions[3] = forge_extension("2.5.29.31", false, FORGE_TLV(0x30, FORGE_TLV(0x30, point))));
#define SCOPE(...) forge_extension("2.5.29.28", true, FORGE_TLV(0x30, __VA_ARGS__))
    struct slice some = SCOPE(forge_hex("8302 0560")), rest = SCOPE(forge_hex("8303 071f80"));
    struct slice critical_number = forge_extension("2.5.29.20", true, forge_integer(7));
    struct slice another = forge_extension("2.5.29.29", true, FORGE_TLV(0x30, FORGE_TLV(0xa4, forge_name("R"))));
    struct slice by_another = forge_revoked(forge_integer(0x1234), FORGE_NOW - 60, another);
    struct slice aki = forge_aki("other"), v1 = slice_of("", 0);
    struct slice no_crls = FORGED(chains_int, what.extensions[3] = forge_usage(X509_KU_KEY_CERT_SIGN));
    struct slice high = FORGED(chains_leaf, what.serial = forge_hex("02020080"));
    const struct {
        const char *name, *source;
        struct slice crls[3], leaf, ca;
        enum x509_reason expected;
    } cases[] = {
        {"on an expired one",
         "RFC 5280 6.3.3 (i)",
         {BY_I(.revoked = listed, .next_update_s = FORGE_NOW - 1)},
         NONE,
         NONE,
         X509_REASON_REVOKED},
        {"a serial number with its highest bit set",
         "X.690 8.3",
         {BY_I(.revoked = forge_revoked(forge_hex("02020080"), FORGE_NOW - 60, NONE))},
         high,
         NONE,
         X509_REASON_REVOKED},
        {"on its partition",
         "RFC 5280 6.3.3 (b)(2)",
         {BY_I(.revoked = listed, .extensions = {SCOPE(point)})},
         pointed,
         NONE,
         X509_REASON_REVOKED},
        {"another partition",
         "RFC 5280 6.3.3 (b)(2)",
         {BY_I(.extensions = {SCOPE(elsewhere)})},
         pointed,
         NONE,
         X509_REASON_NO_CRL},
        {"a partition, and no point in the leaf",
         "RFC 5280 6.3.3 (b)(2)",
         {BY_I(.extensions = {SCOPE(point)})},
         NONE,
         NONE,
         X509_REASON_NO_CRL},
        {"some reasons", "RFC 5280 6.3.3 (d), (l)", {BY_I(.extensions = {some})}, NONE, NONE, X509_REASON_NO_CRL},
        {"an indirect one",
         "RFC 5280 6.3.3 (b)(1)",
         {BY_I(.extensions = {SCOPE(forge_hex("8401ff"))})},
         NONE,
         NONE,
         X509_REASON_NO_CRL},
        {"an entry of another issuer", "RFC 5280 5.3.3", {BY_I(.revoked = by_another)}, NONE, NONE, X509_REASON_NO_CRL},
        {"a critical number",
         "RFC 5280 5.2.3",
         {BY_I(.no_number = true, .extensions = {critical_number})},
         NONE,
         NONE,
         X509_REASON_NO_CRL},
        {"another key identifier", "RFC 5280 5.2.1", {BY_I(.extensions = {aki})}, NONE, NONE, X509_REASON_NO_CRL},
        {"by a CA without cRLSign", "RFC 5280 6.3.3 (f)", {BY_I(.digest = 256)}, NONE, no_crls, X509_REASON_NO_CRL},
        {"with MD5",
         "RFC 6151 2",
         {crl((struct forge_crl){.issuer = "I", .signer = forge_key(FORGE_RSA2048, 3), .digest = 5})},
         FORGED(chains_leaf, what.signer = forge_key(FORGE_RSA2048, 3)),
         FORGED(chains_int, what.key = forge_key(FORGE_RSA2048, 3)),
         X509_REASON_NO_CRL},
        {"its partition", "RFC 5280 6.3.3 (b)(2)", {BY_I(.extensions = {SCOPE(point)})}, pointed, NONE, X509_REASON_OK},
        {"reasons in two parts",
         "RFC 5280 6.3.3 (d), (l)",
         {BY_I(.extensions = {some}), BY_I(.extensions = {rest})},
         NONE,
         NONE,
         X509_REASON_OK},
        {"version 1", "RFC 5280 5.1.2.1", {BY_I(.version = v1, .no_number = true)}, NONE, NONE, X509_REASON_OK},
        {"its issuer as PrintableString",
         "RFC 5280 7.1",
         {BY_I(.issuer_name = cn_of(forge_text(0x13, "I")))},
         NONE,
         NONE,
         X509_REASON_OK},
        {"one of the future beside the present",
         "RFC 5280 5.1.2.4",
         {BY_I(.this_update = FORGE_NOW + 60, .revoked = listed), BY_I(.digest = 256)},
         NONE,
         NONE,
         X509_REASON_OK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct chain_case one = {.source = cases[i].source, .expected = cases[i].expected, .trust = {ROOT}};

        one.chain[0] = cases[i].leaf.len > 0 ? cases[i].leaf : LEAF;
        one.chain[1] = cases[i].ca.len > 0 ? cases[i].ca : INT;
        one.crls[0] = of_root;
        for (size_t k = 0; k < 3; k++)
            one.crls[k + 1] = cases[i].crls[k];
        chains_add(list, &one, "crl/%s", cases[i].name);
    }
}

/* --- whose use is limited, and how far it is to the root --------------------------------------------------------------------------- */

static void uses_and_lengths(struct chain_list *list)
{
    static const char *const names[] = {"R", "A", "B", "C", "D", "E", "F", "G", "H"};
    struct slice client = forge_purpose(FORGE_CLIENT_AUTH), ocsp = forge_purpose("1.3.6.1.5.5.7.3.9");
    struct slice odd = FORGE_TLV(0x30, forge_oid("1.2.3.4"), forge_oid(FORGE_SERVER_AUTH));
    struct chain_case one = {.source = "RFC 5280 4.2.1.12", .chain = {LEAF, INT}, .expected = X509_REASON_PURPOSE};

    one.trust[0] = FORGED(chains_root, what.extensions[3] = client);
    chains_add(list, &one, "eku/root client");
    one.trust[0] = ROOT;
    one.chain[0] = FORGED(chains_leaf, what.extensions[3] = ocsp);
    chains_add(list, &one, "eku/leaf OCSPSigning");
    one.expected = X509_REASON_OK;
    one.chain[0] = FORGED(chains_leaf, what.extensions[3] = forge_extension("2.5.29.37", true, odd));
    chains_add(list, &one, "eku/leaf critical, server and an unknown one");
    one.source = "RFC 5280 6.1, MRA S9";
    for (unsigned i = 1; i <= 8; i++)
        one.chain[9 - i] = FORGED(
            chains_int, what.subject = names[i], what.issuer = names[i - 1], what.key = forge_key(FORGE_P256, i + 3),
            what.signer = i == 1 ? chains_root_key() : forge_key(FORGE_P256, i + 2),
            what.extensions[1] = forge_ski(names[i]), what.extensions[2] = forge_aki(names[i - 1]));
    one.chain[0] = FORGED(chains_leaf, what.issuer = "H", what.signer = forge_key(FORGE_P256, 11),
                          what.extensions[1] = forge_aki("H"));
    chains_add(list, &one, "build/eight intermediates");
}

void chains_odd(struct chain_list *list)
{
    issuers(list);
    subjects(list);
    encodings(list);
    constraints(list);
    counters(list);
    lists(list);
    uses_and_lengths(list);
}
