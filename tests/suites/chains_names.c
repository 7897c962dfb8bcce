/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chains.h"

/* --- RFC 9525 and MRA §4: the address asked for against the leaf's names ---------------------------------------------------- */

static void match(struct chain_list *list, const char *cn, struct slice san, const char *san_text, const char *name,
                  bool good, const char *source)
{
    struct chain_case one = {
        .source = source, .trust = {ROOT}, .name = name, .expected = good ? X509_REASON_OK : X509_REASON_NAME_MISMATCH};

    one.chain[0] = FORGED(chains_leaf, what.subject = cn,
                          what.extensions[0] = san.len > 0 ? forge_san(san) : forge_purpose(FORGE_SERVER_AUTH));
    one.chain[1] = INT;
    chains_add(list, &one, "name/%s in SAN %s, CN %s", name, san_text, cn);
}

static void dns_names(struct chain_list *list)
{
    static const struct {
        const char *presented, *name;
        bool good;
        const char *source;
    } cases[] = {
        {"other.lab", "cucm.steven.lab", false, "RFC 9525 6.3"},
        {"steven.lab", "cucm.steven.lab", false, "RFC 9525 6.3"},
        {"cucm.steven.lab", "steven.lab", false, "RFC 9525 6.3"},
        {"xcucm.steven.lab", "cucm.steven.lab", false, "RFC 9525 6.3"},
        {"cucm.steven.lab.evil.lab", "cucm.steven.lab", false, "RFC 9525 6.3"},
        {"cucm_steven.lab", "cucm.steven.lab", false, "RFC 9525 6.3"},
        {"*.steven.lab", "steven.lab", false, "RFC 9525 6.3: one label"},
        {"*.steven.lab", "a.b.steven.lab", false, "RFC 9525 6.3: one label"},
        {"*.lab", "steven.lab", false, "MRA 4: two more labels"},
        {"*", "cucm", false, "MRA 4: two more labels"},
        {"*.*.lab", "a.steven.lab", false, "RFC 9525 6.3: leftmost only"},
        {"cucm.*.lab", "cucm.steven.lab", false, "RFC 9525 6.3: leftmost only"},
        {"c*.steven.lab", "cucm.steven.lab", false, "RFC 9525 6.3: the whole label"},
        {"*m.steven.lab", "cucm.steven.lab", false, "RFC 9525 6.3: the whole label"},
        {"xn--*.steven.lab", "xn--a.steven.lab", false, "RFC 9525 6.3"},
        {"cucm.steven.lab.", "cucm.steven.lab", false, "RFC 5280 4.2.1.6: preferred name syntax"},
        {".steven.lab", "cucm.steven.lab", false, "RFC 5280 4.2.1.6: preferred name syntax"},
        {"cucm..steven.lab", "cucm.steven.lab", false, "RFC 5280 4.2.1.6: preferred name syntax"},
        {" ", "cucm.steven.lab", false, "RFC 5280 4.2.1.6: \" \" is none"},
        {"192.0.2.1", "192.0.2.1", false, "RFC 9525 6.2: an address is no DNS name"},
        {"2001:db8::1", "2001:db8::1", false, "RFC 9525 6.2: an address is no DNS name"},
        {"cucm.steven.lab", "cucm.steven.lab", true, "RFC 9525 6.3"},
        {"CUCM.Steven.LAB", "cucm.steven.lab", true, "RFC 9525 6.3: without regard to case"},
        {"cucm.steven.lab", "CUCM.STEVEN.LAB", true, "RFC 9525 6.3: without regard to case"},
        {"cucm.steven.lab", "cucm.steven.lab.", true, "RFC 9525 2: the root's dot"},
        {"*.steven.lab", "cucm.steven.lab", true, "RFC 9525 6.3"},
        {"*.STEVEN.lab", "cucm.steven.lab", true, "RFC 9525 6.3"},
        {"*.steven.lab", "xn--bcher-kva.steven.lab", true, "RFC 9525 6.3: an A-label is a label"},
        {"xn--bcher-kva.lab", "XN--BCHER-KVA.lab", true, "RFC 9525 6.3: A-labels are compared as they are"},
        {"vcs_control.steven.lab", "vcs_control.steven.lab", true, "MRA S13: nodes with an underscore"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        match(list, "leaf", forge_dns(cases[i].presented), cases[i].presented, cases[i].name, cases[i].good,
              cases[i].source);
}

static void addresses_and_others(struct chain_list *list)
{
    struct slice embedded = FORGE_TLV(0x82, slice_of("cucm.steven.lab\0.evil.lab", 25));
    struct slice uri = forge_text(0x86, "https://cucm.steven.lab/"), mail = forge_text(0x81, "a@cucm.steven.lab");
    struct slice two = forge_join(forge_dns("a.lab"), forge_dns("b.lab"));
    struct chain_case one = {.source = "RFC 5280 4.2.1.6, IA5String without NUL",
                             .trust = {ROOT},
                             .expected = X509_REASON_MALFORMED,
                             .chain = {FORGED(chains_leaf, what.extensions[0] = forge_san(embedded)), INT}};

    chains_add(list, &one, "name/an embedded NUL in a dNSName");
    match(list, "leaf", forge_ip("192.0.2.2"), "IP 192.0.2.2", "192.0.2.1", false, "RFC 9525 6.5");
    match(list, "leaf", forge_ip("::ffff:192.0.2.1"), "IP ::ffff:192.0.2.1", "192.0.2.1", false, "RFC 9525 6.5");
    match(list, "leaf", forge_ip("2001:db8::2"), "IP 2001:db8::2", "2001:db8::1", false, "RFC 9525 6.5");
    match(list, "leaf", uri, "URI", "cucm.steven.lab", false, "RFC 9525 6.5");
    match(list, "leaf", mail, "mail", "cucm.steven.lab", false, "RFC 9525 6.1");
    match(list, "cucm.steven.lab", forge_dns("other.lab"), "other.lab", "cucm.steven.lab", false, "MRA 4: cn_match");
    match(list, "192.0.2.1", NONE, "none", "192.0.2.1", false, "RFC 9525 6.2");
    match(list, "cucm.steven.lab and more", NONE, "none", "cucm.steven.lab", false, "RFC 9525 6.3");
    match(list, "*.lab", NONE, "none", "steven.lab", false, "MRA 4: two more labels");
    match(list, "leaf", two, "a.lab, b.lab", "c.lab", false, "RFC 9525 6.1");
    match(list, "leaf", forge_ip("192.0.2.1"), "IP 192.0.2.1", "192.0.2.1", true, "RFC 9525 6.5");
    match(list, "leaf", forge_ip("2001:db8::1"), "IP 2001:db8::1", "2001:0DB8:0::1", true, "RFC 9525 6.5");
    match(list, "leaf", two, "a.lab, b.lab", "b.lab", true, "RFC 9525 6.1");
    match(list, "leaf", forge_join(uri, forge_dns("cucm.steven.lab")), "URI, cucm.steven.lab", "cucm.steven.lab", true,
          "RFC 9525 6.1");
    match(list, "cucm.steven.lab", NONE, "none", "cucm.steven.lab", true, "MRA 4: cn_match fallback");
    match(list, "cucm.steven.lab", mail, "mail", "cucm.steven.lab", true, "MRA 4: cn_match fallback");
    match(list, "*.steven.lab", NONE, "none", "cucm.steven.lab", true, "MRA 4: cn_match fallback");
}

/* --- RFC 5280 §4.2.1.10 -------------------------------------------------------------------------------------------------------- */

enum { AT_INT = 1, AT_ROOT };

struct constraint {
    const char *name;     /* of the base */
    struct slice base;    /* a GeneralName; an address with its mask */
    const char *against;  /* of the leaf's name */
    struct slice san;     /* beside CHAINS_HOST */
    const char *host;     /* not NULL: san alone, and this is asked for */
    bool inside;          /* the name lies in the base */
    struct slice subject; /* of the leaf, where it matters */
};

/* Permitted and inside, or excluded and outside, is good. At the root, or at the intermediate. */
static void constrain(struct chain_list *list, const struct constraint *what_is, bool permitted, int place)
{
    struct slice tree = forge_subtrees(permitted ? 0 : 1, what_is->base);
    struct slice extension = permitted ? forge_constraints(tree, NONE) : forge_constraints(NONE, tree);
    bool good = permitted == what_is->inside;
    struct chain_case one = {.source = "RFC 5280 4.2.1.10, 6.1.3 (b), (c)", .trust = {ROOT}, .name = what_is->host};
    struct slice names = what_is->host ? what_is->san : forge_join(forge_dns(CHAINS_HOST), what_is->san);

    one.chain[0] = FORGED(chains_leaf, what.extensions[0] = forge_san(names), what.subject = "leaf one",
                          what.subject_name = what_is->subject);
    one.chain[1] = INT;
    if (place == AT_INT)
        one.chain[1] = FORGED(chains_int, what.extensions[4] = extension);
    else
        one.trust[0] = FORGED(chains_root, what.extensions[3] = extension);
    one.expected = good        ? X509_REASON_OK
                   : permitted ? X509_REASON_NAME_CONSTRAINT_PERMITTED
                               : X509_REASON_NAME_CONSTRAINT_EXCLUDED;
    chains_add(list, &one, "constraint/%s %s by the %s, against %s", what_is->name,
               permitted ? "permitted" : "excluded", place == AT_INT ? "intermediate" : "root", what_is->against);
}

static struct slice dn(const char *o, const char *cn)
{
    struct slice first = FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.10"), forge_text(0x0c, o)));

    return FORGE_TLV(0x30, first, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, cn))));
}

static struct slice o_alone(const char *o)
{
    return FORGE_TLV(0xa4,
                     FORGE_TLV(0x30, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.10"), forge_text(0x0c, o)))));
}

static struct slice mail_subject(const char *mail)
{
    return FORGE_TLV(0x30, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.9.1"), forge_text(0x16, mail))));
}

static void constraints(struct chain_list *list)
{
    struct slice net = forge_hex("8708 0a000000 ff000000"),
                 net6 = forge_hex("8720 20010db8000000000000000000000000 ffffffff000000000000000000000000");
    const struct constraint cases[] = {
        {"DNS other.lab", forge_dns("other.lab"), "the host", NONE, NULL, false, NONE},
        {"DNS steven.lab", forge_dns("steven.lab"), "a host beside it", forge_dns("cucm.notsteven.lab"),
         "cucm.notsteven.lab", false, NONE},
        {"DNS a.steven.lab", forge_dns("a.steven.lab"), "its parent", forge_dns("steven.lab"), "steven.lab", false,
         NONE},
        {"DNS steven.lab", forge_dns("steven.lab"), "the host", NONE, NULL, true, NONE},
        {"DNS cucm.steven.lab", forge_dns("CUCM.steven.lab"), "the host", NONE, NULL, true, NONE},
        {"DNS of nothing", forge_dns(""), "the host", NONE, NULL, true, NONE},
        {"IP 10/8", net, "11.0.0.1", forge_ip("11.0.0.1"), NULL, false, NONE},
        {"IP 10/8", net, "an IPv6 address", forge_ip("::a00:1"), NULL, false, NONE},
        {"IP 10/8", net, "10.1.2.3", forge_ip("10.1.2.3"), NULL, true, NONE},
        {"IP 2001:db8::/32", net6, "2001:db9::1", forge_ip("2001:db9::1"), NULL, false, NONE},
        {"IP 2001:db8::/32", net6, "2001:db8::1", forge_ip("2001:db8::1"), NULL, true, NONE},
        {"mail b.lab", forge_text(0x81, "b.lab"), "a@c.lab", forge_text(0x81, "a@c.lab"), NULL, false, NONE},
        {"mail b.lab", forge_text(0x81, "b.lab"), "a@x.b.lab", forge_text(0x81, "a@x.b.lab"), NULL, false, NONE},
        {"mail a@b.lab", forge_text(0x81, "a@b.lab"), "x@b.lab", forge_text(0x81, "x@b.lab"), NULL, false, NONE},
        {"mail b.lab", forge_text(0x81, "b.lab"), "the subject's a@c.lab", NONE, NULL, false, mail_subject("a@c.lab")},
        {"mail b.lab", forge_text(0x81, "b.lab"), "the subject's a@b.lab", NONE, NULL, true, mail_subject("a@b.lab")},
        {"mail b.lab", forge_text(0x81, "b.lab"), "a@b.lab", forge_text(0x81, "a@b.lab"), NULL, true, NONE},
        {"mail .b.lab", forge_text(0x81, ".b.lab"), "a@x.b.lab", forge_text(0x81, "a@x.b.lab"), NULL, true, NONE},
        {"URI b.lab", forge_text(0x86, "b.lab"), "of c.lab", forge_text(0x86, "https://a@c.lab:5061/b"), NULL, false,
         NONE},
        {"URI b.lab", forge_text(0x86, "b.lab"), "of x.b.lab", forge_text(0x86, "https://x.b.lab/"), NULL, false, NONE},
        {"URI b.lab", forge_text(0x86, "b.lab"), "of b.lab", forge_text(0x86, "https://b.lab/"), NULL, true, NONE},
        {"URI .b.lab", forge_text(0x86, ".b.lab"), "of x.b.lab", forge_text(0x86, "https://x.b.lab:1/"), NULL, true,
         NONE},
        {"DN O=A", o_alone("A"), "O=B", NONE, NULL, false, dn("B", "x")},
        {"DN O=A", o_alone("A"), "O=a", NONE, NULL, true, dn("a", "x")},
        {"DN O=A", o_alone("A"), "O=A", NONE, NULL, true, dn("A", "x")},
    };

    for (int good = 0; good < 2; good++)
        for (int permitted = 0; permitted < 2; permitted++)
            for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                for (int place = AT_INT; place <= AT_ROOT; place++)
                    /* R itself does not constrain the intermediate's subject here: for DNs only the intermediate is asked. */
                    if ((cases[i].inside == (permitted == 1)) == (good == 1) &&
                        !(place == AT_ROOT && permitted && cases[i].name[1] == 'N' && cases[i].name[0] == 'D' &&
                          cases[i].subject.len > 0))
                        constrain(list, &cases[i], permitted == 1, place);
}

static void other_constraints(struct chain_list *list)
{
    struct slice upn = FORGE_TLV(0xa0, forge_oid("1.2.3"), FORGE_TLV(0xa0, forge_text(0x0c, "u")));
    struct slice othername = forge_constraints(forge_subtrees(0, upn), NONE);
    struct slice minimum = forge_extension("2.5.29.30", true, forge_hex("300d a00b 3009 8204 2e6c6162 800101"));
    struct slice steven = forge_constraints(forge_subtrees(0, forge_dns("steven.lab")), NONE);
    struct slice other = forge_constraints(forge_subtrees(0, forge_dns("other.lab")), NONE);
    struct slice both =
        forge_constraints(forge_subtrees(0, forge_dns("steven.lab")), forge_subtrees(1, forge_dns(CHAINS_HOST)));
    struct slice wild = forge_san(forge_dns("*.steven.lab"));
    struct slice not_cucm = forge_constraints(NONE, forge_subtrees(1, forge_dns(CHAINS_HOST)));
    struct chain_case base = {.source = "RFC 5280 4.2.1.10", .trust = {ROOT}};
    const struct {
        const char *name;
        struct slice of_root, of_int, san;
        enum x509_reason expected;
    } cases[] = {
        {"of another type, and a name of it", NONE, othername, forge_san(forge_join(forge_dns(CHAINS_HOST), upn)),
         X509_REASON_NAME_CONSTRAINT_UNSUPPORTED},
        {"with a minimum", NONE, minimum, NONE, X509_REASON_MALFORMED},
        {"widened below", other, steven, NONE, X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {"narrowed below", steven, other, NONE, X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {"permitted and excluded", NONE, both, NONE, X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {"excluded, covered by a wildcard", NONE, not_cucm, wild, X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {"of another type, and no name of it", NONE, othername, NONE, X509_REASON_OK},
        {"twice the same", steven, steven, NONE, X509_REASON_OK},
        {"permitted wildcard", NONE, steven, wild, X509_REASON_OK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct chain_case one = base;

        one.expected = cases[i].expected;
        one.trust[0] = FORGED(chains_root, what.extensions[3] = cases[i].of_root);
        one.chain[0] = cases[i].san.len > 0 ? FORGED(chains_leaf, what.extensions[0] = cases[i].san) : LEAF;
        one.chain[1] = FORGED(chains_int, what.extensions[4] = cases[i].of_int);
        chains_add(list, &one, "constraint/%s", cases[i].name);
    }
}

void chains_names(struct chain_list *list)
{
    dns_names(list);
    addresses_and_others(list);
    constraints(list);
    other_constraints(list);
}
