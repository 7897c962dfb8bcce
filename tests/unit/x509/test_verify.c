/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/certificate.h"
#include "x509/crl_set.h"
#include "x509/verify.h"

#define HOST "cucm.steven.lab"
#define NONE ((struct slice){NULL, 0})

/* The lab's everyday PKI: root R, intermediate I, leaf L, each with its own key. */
static void *root_key(void)
{
    return forge_key(FORGE_P256, 0);
}

static void *int_key(void)
{
    return forge_key(FORGE_P256, 1);
}

static void *leaf_key(void)
{
    return forge_key(FORGE_P256, 2);
}

static struct forge root_of(void)
{
    return (struct forge){.subject = "R", .key = root_key(), .extensions = {forge_ca(-1), forge_ski("R")}};
}

static struct forge int_of(void)
{
    return (struct forge){.subject = "I",
                          .issuer = "R",
                          .key = int_key(),
                          .signer = root_key(),
                          .extensions = {forge_ca(-1), forge_ski("I"), forge_aki("R")}};
}

static struct forge leaf_of(void)
{
    return (struct forge){.subject = "leaf",
                          .issuer = "I",
                          .key = leaf_key(),
                          .signer = int_key(),
                          .extensions = {forge_san(forge_dns(HOST)), forge_aki("I")}};
}

/* As above, with one thing changed. */
#define FORGED(base, ...)           \
    ({                              \
        struct forge what = base(); \
        __VA_ARGS__;                \
        forge_certificate(&what);   \
    })
#define ROOT FORGED(root_of, (void)what)
#define INT  FORGED(int_of, (void)what)
#define LEAF FORGED(leaf_of, (void)what)

struct scene {
    const char *name;
    struct slice anchors[6], helpers[6], leaves[6], presented[16];
    size_t presented_count;           /* 0: up to the first empty one */
    const char *host;                 /* HOST by default */
    int64_t now;                      /* FORGE_NOW by default */
    const struct x509_policy *policy; /* NULL: the default */
    enum x509_reason reason;
    int depth;
    size_t path_length; /* 0: not looked at */
    uint32_t warnings;
    enum x509_reason name_reason;
};

static struct x509_policy policies[32];
static size_t policy_count;

static struct x509_policy *policy_new(void)
{
    struct x509_policy *policy = &policies[policy_count++];

    assert_true(policy_count <= sizeof(policies) / sizeof(policies[0]));
    x509_policy_default(policy);
    return policy;
}

/* The default policy with something set: POLICY(p->work_max = 1). */
#define POLICY(...)                           \
    ({                                        \
        struct x509_policy *p = policy_new(); \
        __VA_ARGS__;                          \
        p;                                    \
    })

static void fill(struct x509_store *store, const struct slice *list, enum x509_role role)
{
    const char *fault = "";

    for (size_t i = 0; i < 6 && list[i].len > 0; i++) {
        enum assay_error error = x509_store_add(store, list[i], role, &fault);

        assert_string_equal(fault, "");
        assert_int_equal(error, ASSAY_OK);
    }
}

static struct x509_result judge(const struct scene *scene)
{
    struct x509_store *store = x509_store_create();
    struct x509_identity identity;
    struct x509_result result;
    size_t count = scene->presented_count;
    struct x509_policy policy;

    x509_policy_default(&policy);
    fill(store, scene->anchors, X509_ROLE_ANCHOR);
    fill(store, scene->helpers, X509_ROLE_HELPER);
    fill(store, scene->leaves, X509_ROLE_LEAF_ONLY);
    while (count < 16 && scene->presented[count].len > 0)
        count++;
    assert_int_equal(x509_identity_from_host(slice_text(scene->host ? scene->host : HOST), &identity), ASSAY_OK);
    x509_verify(store, scene->presented, count, &identity, scene->policy ? scene->policy : &policy,
                (uint64_t)(scene->now ? scene->now : FORGE_NOW), &result);
    x509_store_free(store);
    return result;
}

static void run(const struct scene *scenes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct scene *scene = &scenes[i];
        struct x509_result result = judge(scene);

        if (result.chain_reason != scene->reason || result.depth != scene->depth ||
            result.warnings != scene->warnings || result.name_reason != scene->name_reason ||
            (scene->path_length && result.path_length != scene->path_length))
            fail_msg("%s: %s depth %d, name %s, warnings %u, path %zu", scene->name,
                     x509_reason_name(result.chain_reason), result.depth, x509_reason_name(result.name_reason),
                     result.warnings, result.path_length);
        if (result.chain_reason != X509_REASON_OK && result.chain_reason != X509_REASON_NO_CERTIFICATE &&
            result.chain_reason != X509_REASON_CHAIN_TOO_LONG && result.chain_reason != X509_REASON_MALFORMED)
            assert_ptr_equal(result.fault.data, result.path[result.depth].data);
        assert_true(result.signatures_checked <= (scene->policy ? scene->policy->work_max : 64));
    }
}

#define SCENE(text, ...)            \
    {                               \
        .name = (text), __VA_ARGS__ \
    }
#define RUN(scenes) run((scenes), sizeof(scenes) / sizeof((scenes)[0]))

/* MRA S4 and LAB: what an operator's analyzer has to tell apart, with OpenSSL's depth. */
static void untrusted(void **state)
{
    struct slice self = FORGED(leaf_of, what.issuer = NULL, what.signer = NULL, what.extensions[1] = NONE);
    struct slice by_root =
        FORGED(leaf_of, what.issuer = "R", what.signer = root_key(), what.extensions[1] = forge_aki("R"));
    struct slice other_root = FORGED(root_of, what.subject = "Other"), sent = INT;
    const struct scene scenes[] = {
        SCENE("self-signed leaf, empty store", .presented = {self}, .reason = X509_REASON_SELF_SIGNED_LEAF),
        SCENE("self-signed leaf, other trust", .anchors = {ROOT}, .presented = {self, ROOT},
              .reason = X509_REASON_SELF_SIGNED_LEAF),
        SCENE("leaf alone, nothing known", .presented = {LEAF}, .reason = X509_REASON_UNKNOWN_ISSUER),
        SCENE("intermediate missing", .anchors = {ROOT}, .presented = {LEAF}, .reason = X509_REASON_UNKNOWN_ISSUER),
        SCENE("unknown CA, root not sent", .anchors = {other_root}, .presented = {LEAF, INT},
              .reason = X509_REASON_UNKNOWN_ISSUER, .depth = 1, .path_length = 2),
        SCENE("unknown CA, root sent", .anchors = {other_root}, .presented = {LEAF, INT, ROOT},
              .reason = X509_REASON_SELF_SIGNED_IN_CHAIN, .depth = 2, .path_length = 3),
        SCENE("unknown CA, leaf and root sent", .presented = {by_root, ROOT},
              .reason = X509_REASON_SELF_SIGNED_IN_CHAIN, .depth = 1),
        SCENE("a helper ends nothing", .helpers = {INT}, .presented = {LEAF}, .reason = X509_REASON_UNKNOWN_ISSUER,
              .depth = 1),
        SCENE("a self-signed helper neither", .helpers = {ROOT}, .presented = {LEAF, INT},
              .reason = X509_REASON_SELF_SIGNED_IN_CHAIN, .depth = 2),
        SCENE("a leaf-only certificate issues nothing", .leaves = {ROOT}, .presented = {LEAF, INT},
              .reason = X509_REASON_UNKNOWN_ISSUER, .depth = 1),
        SCENE("nor when it is sent", .anchors = {ROOT}, .leaves = {sent}, .presented = {LEAF, sent},
              .reason = X509_REASON_UNKNOWN_ISSUER),
        SCENE("a namesake of the root, other key, key ids differ",
              .anchors = {FORGED(root_of, what.key = leaf_key(), what.extensions[1] = forge_ski("X"))},
              .presented = {LEAF, INT}, .reason = X509_REASON_UNKNOWN_ISSUER, .depth = 1),
    };

    (void)state;
    RUN(scenes);
}

static void unusable(void **state)
{
    struct slice junk = forge_hex("3003020100");
    struct slice eleven[16] = {LEAF};
    const struct scene scenes[] = {
        SCENE("nothing presented", .reason = X509_REASON_NO_CERTIFICATE, .name_reason = X509_REASON_NAME_MISMATCH),
        SCENE("malformed leaf", .anchors = {ROOT}, .presented = {junk, INT}, .reason = X509_REASON_MALFORMED,
              .name_reason = X509_REASON_NAME_MISMATCH),
        SCENE("empty leaf", .presented_count = 1, .reason = X509_REASON_MALFORMED,
              .name_reason = X509_REASON_NAME_MISMATCH),
        SCENE("malformed intermediate", .anchors = {ROOT}, .presented = {LEAF, junk}, .reason = X509_REASON_MALFORMED,
              .depth = 1),
        SCENE("malformed where nothing is missing", .anchors = {ROOT}, .presented = {LEAF, junk, INT},
              .path_length = 3),
        SCENE("malformed beside an untrusted root", .presented = {LEAF, INT, ROOT, junk},
              .reason = X509_REASON_SELF_SIGNED_IN_CHAIN, .depth = 2),
        SCENE("no work allowed", .anchors = {ROOT}, .presented = {LEAF, INT}, .policy = POLICY(p->work_max = 0),
              .reason = X509_REASON_WORK_LIMIT),
        SCENE("work for one link only", .anchors = {ROOT}, .presented = {LEAF, INT}, .policy = POLICY(p->work_max = 1),
              .reason = X509_REASON_WORK_LIMIT, .depth = 1),
        SCENE("path longer than policy", .anchors = {ROOT}, .presented = {LEAF, INT},
              .policy = POLICY(p->depth_max = 0), .reason = X509_REASON_CHAIN_TOO_LONG, .depth = 1),
    };

    (void)state;
    RUN(scenes);
    for (size_t i = 1; i < 11; i++)
        eleven[i] = FORGED(root_of, what.subject = "Other");
    struct scene many = SCENE("eleven presented", .anchors = {ROOT}, .reason = X509_REASON_CHAIN_TOO_LONG, .depth = 10);

    memcpy(many.presented, eleven, sizeof(eleven));
    run(&many, 1);
    many.presented[1] = INT; /* the leaf has its path among the first ten */
    many.reason = X509_REASON_OK;
    many.depth = 0;
    run(&many, 1);
}

static void dates(void **state)
{
    const struct scene scenes[] = {
        SCENE("leaf expired", .anchors = {ROOT}, .presented = {FORGED(leaf_of, what.not_after = FORGE_NOW - 1), INT},
              .reason = X509_REASON_EXPIRED, .path_length = 3),
        SCENE("leaf not yet valid", .anchors = {ROOT},
              .presented = {FORGED(leaf_of, what.not_before = FORGE_NOW + 1), INT},
              .reason = X509_REASON_NOT_YET_VALID),
        SCENE("intermediate expired", .anchors = {ROOT},
              .presented = {LEAF, FORGED(int_of, what.not_after = FORGE_NOW - 1)}, .reason = X509_REASON_EXPIRED,
              .depth = 1),
        SCENE("root expired", .anchors = {FORGED(root_of, what.not_after = FORGE_NOW - 1)}, .presented = {LEAF, INT},
              .reason = X509_REASON_EXPIRED, .depth = 2),
        SCENE("all expired: the topmost is named", .now = FORGE_AFTER + 1, .anchors = {ROOT}, .presented = {LEAF, INT},
              .reason = X509_REASON_EXPIRED, .depth = 2),
        SCENE("expired and untrusted: untrusted counts",
              .presented = {FORGED(leaf_of, what.not_after = FORGE_NOW - 1), INT}, .reason = X509_REASON_UNKNOWN_ISSUER,
              .depth = 1),
        SCENE("last second", .now = FORGE_AFTER, .anchors = {ROOT}, .presented = {LEAF, INT}),
        SCENE("within the skew", .now = FORGE_AFTER + 60, .policy = POLICY(p->skew_s = 60), .anchors = {ROOT},
              .presented = {LEAF, INT}),
    };

    (void)state;
    RUN(scenes);
}

static void signatures(void **state)
{
    void *rsa = forge_key(FORGE_RSA1024, 0);
    struct slice unknown = FORGE_TLV(0x30, forge_oid("1.2.3"));
    struct slice rsa_root = FORGED(root_of, what.key = rsa);
    struct slice by_rsa[] = {
        FORGED(leaf_of, what.issuer = "R", what.signer = rsa, what.extensions[1] = forge_aki("R"), what.digest = 5),
        FORGED(leaf_of, what.issuer = "R", what.signer = rsa, what.extensions[1] = forge_aki("R"), what.digest = 1),
        FORGED(leaf_of, what.issuer = "R", what.signer = rsa, what.extensions[1] = forge_aki("R")),
    };
    struct slice p192 = FORGE_TLV(
        0x30, FORGE_TLV(0x30, forge_oid("1.2.840.10045.2.1"), forge_oid("1.2.840.10045.3.1.1")), forge_hex("030200ff"));
    const struct scene scenes[] = {
        SCENE("leaf", .anchors = {ROOT}, .presented = {FORGED(leaf_of, what.break_signature = true), INT},
              .reason = X509_REASON_BAD_SIGNATURE),
        SCENE("intermediate", .anchors = {ROOT}, .presented = {LEAF, FORGED(int_of, what.break_signature = true)},
              .reason = X509_REASON_BAD_SIGNATURE, .depth = 1),
        SCENE("forged under a trusted name", .anchors = {ROOT, INT},
              .presented = {FORGED(leaf_of, what.signer = leaf_key())}, .reason = X509_REASON_BAD_SIGNATURE),
        SCENE("forged intermediate with the right names", .anchors = {ROOT},
              .presented = {FORGED(leaf_of, what.signer = leaf_key()),
                            FORGED(int_of, what.key = what.signer = leaf_key())},
              .reason = X509_REASON_BAD_SIGNATURE, .depth = 1),
        SCENE("unknown algorithm", .anchors = {ROOT},
              .presented = {FORGED(leaf_of, what.inner_algorithm = what.outer_algorithm = unknown), INT},
              .reason = X509_REASON_UNSUPPORTED_ALGORITHM),
        SCENE("unknown key of the leaf", .anchors = {ROOT}, .presented = {FORGED(leaf_of, what.spki = p192), INT},
              .reason = X509_REASON_UNSUPPORTED_ALGORITHM),
        SCENE("unknown key of the issuer", .anchors = {ROOT}, .presented = {LEAF, FORGED(int_of, what.spki = p192)},
              .reason = X509_REASON_UNSUPPORTED_ALGORITHM, .depth = 1),
        SCENE("MD5", .anchors = {rsa_root}, .presented = {by_rsa[0]}, .reason = X509_REASON_WEAK_DIGEST),
        SCENE("SHA-1 refused", .anchors = {rsa_root}, .presented = {by_rsa[1]},
              .policy = POLICY(p->sha1_allowed = false), .reason = X509_REASON_WEAK_DIGEST),
        SCENE("small key refused", .anchors = {rsa_root}, .presented = {by_rsa[2]},
              .policy = POLICY(p->rsa_bits_min = 2048), .reason = X509_REASON_WEAK_KEY, .depth = 1),
        SCENE("SHA-1 and a small key, with warnings (S33)", .anchors = {rsa_root}, .presented = {by_rsa[1]},
              .warnings = X509_WARN_SHA1 | X509_WARN_SMALL_KEY),
        SCENE("small key alone", .anchors = {rsa_root}, .presented = {by_rsa[2]}, .warnings = X509_WARN_SMALL_KEY),
        SCENE("an anchor's own broken signature does not matter",
              .anchors = {FORGED(root_of, what.break_signature = true)}, .presented = {LEAF, INT}),
        SCENE("an anchor's own MD5 neither", .anchors = {FORGED(root_of, what.key = rsa, what.digest = 5)},
              .presented = {by_rsa[2]}, .warnings = X509_WARN_SMALL_KEY),
    };

    (void)state;
    RUN(scenes);
}

static void extensions(void **state)
{
    struct slice critical = forge_extension("1.2.3.4", true, forge_hex("0500"));
    struct slice permitted = forge_constraints(forge_subtrees(0, forge_dns("other.lab")), NONE);
    struct slice excluded = forge_constraints(NONE, forge_subtrees(1, forge_dns("steven.lab")));
    struct slice upn = FORGE_TLV(0xa0, forge_oid("1.2.3"), FORGE_TLV(0xa0, forge_text(0x0c, "upn")));
    struct slice no_upn = forge_constraints(NONE, forge_subtrees(1, upn));
    const struct scene scenes[] = {
        SCENE("unknown critical, leaf", .anchors = {ROOT},
              .presented = {FORGED(leaf_of, what.extensions[2] = critical), INT},
              .reason = X509_REASON_UNKNOWN_CRITICAL_EXTENSION),
        SCENE("unknown critical, intermediate", .anchors = {ROOT},
              .presented = {LEAF, FORGED(int_of, what.extensions[3] = critical)},
              .reason = X509_REASON_UNKNOWN_CRITICAL_EXTENSION, .depth = 1),
        SCENE("unknown critical, root", .anchors = {FORGED(root_of, what.extensions[2] = critical)},
              .presented = {LEAF, INT}, .reason = X509_REASON_UNKNOWN_CRITICAL_EXTENSION, .depth = 2),
        SCENE("issuer is no CA", .anchors = {ROOT},
              .presented = {LEAF, FORGED(int_of, what.extensions[0] = forge_ski("I"),
                                         what.extensions[1] = forge_aki("R"), what.extensions[2] = NONE)},
              .reason = X509_REASON_NOT_A_CA, .depth = 1),
        SCENE("issuer may not sign certificates", .anchors = {ROOT},
              .presented = {LEAF, FORGED(int_of, what.extensions[3] = forge_usage(X509_KU_CRL_SIGN))},
              .reason = X509_REASON_CA_KEY_USAGE, .depth = 1),
        SCENE("path length of the root", .anchors = {FORGED(root_of, what.extensions[0] = forge_ca(0))},
              .presented = {LEAF, INT}, .reason = X509_REASON_PATH_LENGTH, .depth = 2),
        SCENE("client certificate", .anchors = {ROOT},
              .presented = {FORGED(leaf_of, what.extensions[2] = forge_purpose(FORGE_CLIENT_AUTH)), INT},
              .reason = X509_REASON_PURPOSE),
        SCENE("CA for clients", .anchors = {ROOT},
              .presented = {LEAF, FORGED(int_of, what.extensions[3] = forge_purpose(FORGE_CLIENT_AUTH))},
              .reason = X509_REASON_PURPOSE, .depth = 1),
        SCENE("permitted names", .anchors = {ROOT}, .presented = {LEAF, FORGED(int_of, what.extensions[3] = permitted)},
              .reason = X509_REASON_NAME_CONSTRAINT_PERMITTED),
        SCENE("excluded names, two levels up", .anchors = {FORGED(root_of, what.extensions[2] = excluded)},
              .presented = {LEAF, INT}, .reason = X509_REASON_NAME_CONSTRAINT_EXCLUDED),
        SCENE("constraint of an unknown kind", .anchors = {ROOT},
              .presented = {FORGED(leaf_of, what.extensions[0] = forge_san(forge_join(forge_dns(HOST), upn))),
                            FORGED(int_of, what.extensions[3] = no_upn)},
              .reason = X509_REASON_NAME_CONSTRAINT_UNSUPPORTED),
        SCENE("constraints kept", .anchors = {ROOT},
              .presented = {LEAF, FORGED(int_of, what.extensions[3] = forge_constraints(
                                                     forge_subtrees(0, forge_dns("steven.lab")), NONE))}),
    };

    (void)state;
    RUN(scenes);
}

static void names(void **state)
{
    struct slice cn =
        FORGED(leaf_of, what.subject = HOST, what.extensions[0] = forge_aki("I"), what.extensions[1] = NONE);
    struct slice spelled = FORGED(leaf_of, what.extensions[0] = forge_san(forge_dns("10.48.36.215")));
    const struct scene scenes[] = {
        SCENE("another name", .host = "cups.steven.lab", .anchors = {ROOT}, .presented = {LEAF, INT},
              .name_reason = X509_REASON_NAME_MISMATCH, .path_length = 3),
        SCENE("an address (S27)", .host = "10.48.36.215", .anchors = {ROOT}, .presented = {LEAF, INT},
              .name_reason = X509_REASON_NAME_MISMATCH),
        SCENE("another name and untrusted", .host = "cups.steven.lab", .presented = {LEAF, INT},
              .reason = X509_REASON_UNKNOWN_ISSUER, .depth = 1, .name_reason = X509_REASON_NAME_MISMATCH),
        SCENE("CN not wanted", .anchors = {ROOT}, .presented = {cn, INT}, .policy = POLICY(p->cn_match = X509_CN_NEVER),
              .name_reason = X509_REASON_NAME_MISMATCH),
        SCENE("CN without SAN", .anchors = {ROOT}, .presented = {cn, INT}, .warnings = X509_WARN_CN_USED),
        SCENE("address spelled as a name", .host = "10.48.36.215", .anchors = {ROOT}, .presented = {spelled, INT},
              .warnings = X509_WARN_IP_AS_DNS),
        SCENE("not without compatibility", .host = "10.48.36.215", .anchors = {ROOT}, .presented = {spelled, INT},
              .policy = POLICY(p->compat_ip_as_dns = false), .name_reason = X509_REASON_NAME_MISMATCH),
    };

    (void)state;
    RUN(scenes);
    assert_int_equal(x509_result_reason(&(struct x509_result){.name_reason = X509_REASON_NAME_MISMATCH}),
                     X509_REASON_NAME_MISMATCH);
}

static void accepted(void **state)
{
    struct slice self = FORGED(leaf_of, what.issuer = NULL, what.signer = NULL, what.extensions[1] = NONE);
    struct slice signed_leaf = LEAF;
    struct slice multi_server = forge_certificate(&(struct forge){
        .subject = "cucm-ms.steven.lab",
        .issuer = "R",
        .key = forge_key(FORGE_RSA2048, 1),
        .signer = forge_key(FORGE_RSA2048, 0),
        .digest = 1,
        .extensions = {forge_san(forge_join(forge_dns(HOST), forge_dns("steven.lab")))},
    });
    const struct scene scenes[] = {
        SCENE("leaf, intermediate, root", .anchors = {ROOT}, .presented = {LEAF, INT}, .path_length = 3),
        SCENE("root sent too", .anchors = {ROOT}, .presented = {LEAF, INT, ROOT}, .path_length = 3),
        SCENE("any order", .anchors = {ROOT}, .presented = {LEAF, ROOT, INT, LEAF}, .path_length = 3),
        SCENE("intermediate from the store (S9)", .anchors = {ROOT}, .helpers = {INT}, .presented = {LEAF},
              .path_length = 3),
        SCENE("an intermediate as anchor", .anchors = {INT}, .presented = {LEAF}, .path_length = 2),
        SCENE("a helper with partial_chain", .helpers = {INT}, .presented = {LEAF},
              .policy = POLICY(p->partial_chain = true), .path_length = 2),
        SCENE("self-signed leaf in the store (S5)", .leaves = {self}, .presented = {self}, .path_length = 1),
        SCENE("CA-signed leaf in the store", .leaves = {signed_leaf}, .presented = {signed_leaf}, .path_length = 1),
        SCENE("leaf as anchor", .anchors = {signed_leaf}, .presented = {signed_leaf}, .path_length = 1),
        SCENE("multi-server certificate with SHA-1 (S12)",
              .anchors = {FORGED(root_of, what.key = forge_key(FORGE_RSA2048, 0))}, .presented = {multi_server},
              .warnings = X509_WARN_SHA1),
        SCENE("a version 1 root",
              .anchors = {FORGED(root_of, what.version = slice_of("", 0), what.extensions[0] = NONE)},
              .presented = {LEAF, INT}, .path_length = 3),
    };

    (void)state;
    RUN(scenes);
}

/* S10 / CSCwa12905: tomcat-ECDSA and CallManager-ECDSA of one node, both self-signed, one CN, two keys. */
static void two_certificates_of_one_name(void **state)
{
    struct forge ec = {.subject = "cucm-EC.steven.lab",
                       .key = forge_key(FORGE_P256, 3),
                       .extensions = {forge_ca(0), forge_san(forge_dns(HOST)),
                                      forge_usage(X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_CERT_SIGN)}};
    struct slice tomcat = forge_certificate(&ec), callmanager, third, minted;

    (void)state;
    ec.key = forge_key(FORGE_P256, 4);
    ec.not_after = FORGE_AFTER + FORGE_YEAR;
    callmanager = forge_certificate(&ec);
    ec.key = forge_key(FORGE_P256, 5);
    third = forge_certificate(&ec);
    /* signed by tomcat's key, which says CA:TRUE: worth nothing */
    minted = FORGED(leaf_of, what.issuer = "cucm-EC.steven.lab", what.signer = forge_key(FORGE_P256, 3),
                    what.extensions[1] = NONE);
    const struct scene scenes[] = {
        SCENE("neither in the store", .presented = {tomcat}, .reason = X509_REASON_SELF_SIGNED_LEAF),
        SCENE("only the other", .leaves = {callmanager}, .presented = {tomcat}, .reason = X509_REASON_SELF_SIGNED_LEAF),
        SCENE("a third of that name", .leaves = {tomcat, callmanager}, .presented = {third},
              .reason = X509_REASON_SELF_SIGNED_LEAF),
        SCENE("a leaf-only certificate is no issuer", .leaves = {tomcat}, .presented = {minted, tomcat},
              .reason = X509_REASON_UNKNOWN_ISSUER),
        SCENE("both, the first", .leaves = {tomcat, callmanager}, .presented = {tomcat}, .path_length = 1),
        SCENE("both, the second", .leaves = {tomcat, callmanager}, .presented = {callmanager}, .path_length = 1),
        SCENE("both as anchors", .anchors = {tomcat, callmanager}, .presented = {callmanager}, .path_length = 1),
    };

    RUN(scenes);
}

/* S10: two CAs of one subject: one expired, one renewed, or with another key; with and without key identifiers. */
static void several_cas_of_one_subject(void **state)
{
    void *other = forge_key(FORGE_P256, 6);
    struct slice old = FORGED(root_of, what.not_after = FORGE_NOW - 1),
                 renewed = FORGED(root_of, what.serial = forge_integer(2));
    struct slice rekeyed = FORGED(root_of, what.key = other, what.extensions[1] = forge_ski("R2"));
    struct slice bare = FORGED(root_of, what.extensions[1] = NONE);
    struct slice bare_other = FORGED(root_of, what.key = other, what.extensions[1] = NONE);
    struct slice leaf = FORGED(leaf_of, what.issuer = "R", what.signer = root_key(), what.extensions[1] = NONE);
    struct slice keyed =
        FORGED(leaf_of, what.issuer = "R", what.signer = root_key(), what.extensions[1] = forge_aki("R"));
    struct slice wrong_id =
        FORGED(leaf_of, what.issuer = "R", what.signer = root_key(), what.extensions[1] = forge_aki("R2"));
    const struct scene scenes[] = {
        SCENE("only the expired one", .anchors = {old}, .presented = {keyed}, .reason = X509_REASON_EXPIRED,
              .depth = 1),
        SCENE("only the other key", .anchors = {rekeyed}, .presented = {keyed}, .reason = X509_REASON_UNKNOWN_ISSUER),
        SCENE("only the other key, no identifiers", .anchors = {bare_other}, .presented = {leaf},
              .reason = X509_REASON_BAD_SIGNATURE),
        SCENE("the other key trusted, its own root sent", .anchors = {bare_other}, .presented = {leaf, bare},
              .reason = X509_REASON_SELF_SIGNED_IN_CHAIN, .depth = 1),
        SCENE("expired first", .anchors = {old, renewed}, .presented = {keyed}),
        SCENE("expired last", .anchors = {renewed, old}, .presented = {keyed}),
        SCENE("expired one sent", .anchors = {renewed}, .presented = {keyed, old}, .path_length = 2),
        SCENE("other key first", .anchors = {rekeyed, renewed}, .presented = {keyed}),
        SCENE("without identifiers", .anchors = {bare_other, bare}, .presented = {leaf}),
        SCENE("an identifier that misleads", .anchors = {rekeyed, renewed}, .presented = {wrong_id}),
    };

    (void)state;
    RUN(scenes);
}

/* A <- B and B <- A, and a root behind one of them; a constraint that only one way round violates. */
static void cross_certificates(void **state)
{
    void *a = forge_key(FORGE_P256, 7), *b = forge_key(FORGE_P256, 8);
    struct slice a_by_b = forge_certificate(
        &(struct forge){.subject = "A", .issuer = "B", .key = a, .signer = b, .extensions = {forge_ca(-1)}});
    struct slice b_by_a = forge_certificate(
        &(struct forge){.subject = "B", .issuer = "A", .key = b, .signer = a, .extensions = {forge_ca(-1)}});
    struct slice a_by_root = forge_certificate(
        &(struct forge){.subject = "A", .issuer = "R", .key = a, .signer = root_key(), .extensions = {forge_ca(-1)}});
    struct slice a_dead_end = forge_certificate(&(struct forge){
        .subject = "A",
        .issuer = "R",
        .key = a,
        .signer = root_key(),
        .extensions = {forge_ca(-1), forge_constraints(NONE, forge_subtrees(1, forge_dns("steven.lab")))}});
    struct slice a_short = forge_certificate(
        &(struct forge){.subject = "A", .issuer = "R", .key = a, .signer = root_key(), .extensions = {forge_ca(0)}});
    struct slice leaf = FORGED(leaf_of, what.issuer = "B", what.signer = b, what.extensions[1] = NONE);
    const struct scene scenes[] = {
        SCENE("a circle", .anchors = {ROOT}, .presented = {leaf, a_by_b, b_by_a}, .reason = X509_REASON_UNKNOWN_ISSUER,
              .depth = 2),
        SCENE("constrained only", .anchors = {ROOT}, .presented = {leaf, b_by_a, a_dead_end},
              .reason = X509_REASON_NAME_CONSTRAINT_EXCLUDED),
        SCENE("too short only", .anchors = {ROOT}, .presented = {leaf, b_by_a, a_short},
              .reason = X509_REASON_PATH_LENGTH, .depth = 2),
        SCENE("out of the circle", .anchors = {ROOT}, .presented = {leaf, a_by_b, b_by_a, a_by_root}, .path_length = 4),
        SCENE("back from the constrained", .anchors = {ROOT},
              .presented = {leaf, b_by_a, a_dead_end, a_short, a_by_root}, .path_length = 4),
    };

    (void)state;
    RUN(scenes);
}

/* Ten CAs of one name, nine keys, all signing each other: bounded, and said so. */
static void a_thicket(void **state)
{
    struct scene scene = SCENE("thicket", .anchors = {ROOT}, .reason = X509_REASON_WORK_LIMIT);

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        scene.presented[i + 1] = forge_certificate(&(struct forge){.subject = "T",
                                                                   .key = forge_key(FORGE_P256, i + 1),
                                                                   .signer = forge_key(FORGE_P256, (i + 1) % 9 + 1),
                                                                   .extensions = {forge_ca(-1)}});
    scene.presented[0] =
        FORGED(leaf_of, what.issuer = "T", what.signer = forge_key(FORGE_P256, 9), what.extensions[1] = NONE);
    scene.policy = POLICY(p->work_max = 20);
    struct x509_result result = judge(&scene);

    assert_int_equal(result.chain_reason, X509_REASON_WORK_LIMIT);
    assert_int_equal(result.signatures_checked, 20);
    scene.policy = POLICY(p->work_max = 200);
    result = judge(&scene);
    assert_true(result.chain_reason != X509_REASON_OK);
    assert_in_range(result.signatures_checked, 9, 100); /* each pair once */
}

static void valid_until_the_earliest_end(void **state)
{
    struct scene scene =
        SCENE("until", .anchors = {ROOT}, .presented = {LEAF, FORGED(int_of, what.not_after = FORGE_NOW + 10)});
    struct x509_result result = judge(&scene);

    (void)state;
    assert_int_equal(result.valid_until_s, FORGE_NOW + 10);
    scene.policy = POLICY(p->skew_s = 5);
    result = judge(&scene);
    assert_int_equal(result.valid_until_s, FORGE_NOW + 15);
}

static struct x509_result judge_traced(struct x509_store *store, const struct slice *presented, size_t count,
                                       const struct x509_policy *policy, struct x509_trace *trace)
{
    struct x509_identity identity;
    struct x509_result result;

    assert_int_equal(x509_identity_from_host(slice_text(HOST), &identity), ASSAY_OK);
    x509_verify_traced(store, presented, count, NONE, &identity, policy, FORGE_NOW, &result, trace);
    return result;
}

/* RFC 4158: an intermediate that one root took back is still good under another; without that, it is the reason. */
static void a_revoked_way_is_left(void **state)
{
    static struct x509_trace trace;
    struct slice root2 = FORGED(root_of, what.subject = "R2", what.key = forge_key(FORGE_P256, 9));
    struct slice other = FORGED(int_of, what.issuer = "R2", what.signer = forge_key(FORGE_P256, 9),
                                what.extensions[2] = forge_aki("R"), what.serial = forge_integer(78));
    struct slice taken_back = FORGED(int_of, what.serial = forge_integer(77));
    struct slice crls[] = {
        forge_crl(&(struct forge_crl){
            .issuer = "R", .signer = root_key(), .revoked = forge_revoked(forge_integer(77), FORGE_NOW, NONE)}),
        forge_crl(
            &(struct forge_crl){.issuer = "R2", .signer = forge_key(FORGE_P256, 9), .next_update_s = FORGE_NOW + 5}),
        forge_crl(&(struct forge_crl){.issuer = "I", .signer = int_key()}),
    };
    struct slice presented[] = {LEAF, taken_back, other};
    const struct x509_policy *policy = POLICY(p->revocation = X509_REVOCATION_HARD_FAIL);
    struct x509_store *store = x509_store_create();
    struct x509_crl_set *set = x509_crl_set_create();
    struct x509_result result;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(x509_crl_set_add(set, crls[i], NULL), ASSAY_OK);
    x509_store_set_crls(store, set);
    assert_int_equal(x509_store_add(store, ROOT, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    result = judge_traced(store, presented, 3, policy, &trace);
    assert_int_equal(result.chain_reason, X509_REASON_REVOKED);
    assert_int_equal(result.depth, 1);
    assert_string_equal(result.detail, "unspecified");
    assert_int_equal(trace.count, 2); /* the revoked way, and the one to nowhere */
    assert_int_equal(x509_store_add(store, root2, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    result = judge_traced(store, presented, 3, policy, &trace);
    assert_int_equal(result.chain_reason, X509_REASON_OK);
    assert_int_equal(result.path_length, 3);
    assert_true(slice_equal(result.path[1], other));
    assert_int_equal(result.valid_until_s, FORGE_NOW + 5);
    assert_int_equal(trace.count, 1);
    assert_int_equal(trace.attempts[0].reason, X509_REASON_REVOKED);
    assert_int_equal(trace.attempts[0].depth, 1);
    assert_true(trace.attempts[0].reached);
    assert_true(slice_equal(trace.attempts[0].path[1], taken_back));
    x509_store_free(store);
}

static void pins_and_purposes(void **state)
{
    static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
    struct slice client = FORGED(leaf_of, what.extensions[2] = forge_purpose(FORGE_CLIENT_AUTH)), middle = INT;
    struct x509_policy *wrong = POLICY(p->pin_count = 1), *right = POLICY(p->pin_count = 2);
    struct x509_certificate parsed;
    struct x509_digest_value digest;
    uint8_t pin[32];

    (void)state;
    assert_int_equal(x509_pin_parse(slice_text(hex), pin), ASSAY_OK);
    assert_int_equal(pin[1], 0x11);
    assert_int_equal(pin[31], 0xff);
    assert_int_equal(x509_pin_parse(slice_of(hex, 63), pin), ASSAY_ERR_MALFORMED);
    assert_int_equal(
        x509_pin_parse(slice_text("g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"), pin),
        ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_certificate_parse(middle, &parsed, NULL), ASSAY_OK);
    assert_int_equal(x509_digest_make(X509_DIGEST_SHA256, parsed.spki, &digest), ASSAY_OK);
    memcpy(right->pins[1], digest.bytes, 32);
    const struct scene scenes[] = {
        SCENE("another key is pinned", .anchors = {ROOT}, .presented = {LEAF, INT}, .policy = wrong,
              .reason = X509_REASON_PIN_MISMATCH),
        SCENE("a client's certificate as a server's", .anchors = {ROOT}, .presented = {client, INT},
              .reason = X509_REASON_PURPOSE),
        SCENE("the intermediate's key is pinned", .anchors = {ROOT}, .presented = {LEAF, INT}, .policy = right),
        SCENE("a client's certificate as a client's", .anchors = {ROOT}, .presented = {client, INT},
              .policy = POLICY(p->purpose = X509_PURPOSE_CLIENT)),
    };

    RUN(scenes);
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revoked_way_is_left),
        cmocka_unit_test(pins_and_purposes),
        cmocka_unit_test(untrusted),
        cmocka_unit_test(unusable),
        cmocka_unit_test(dates),
        cmocka_unit_test(signatures),
        cmocka_unit_test(extensions),
        cmocka_unit_test(names),
        cmocka_unit_test(accepted),
        cmocka_unit_test(two_certificates_of_one_name),
        cmocka_unit_test(several_cas_of_one_subject),
        cmocka_unit_test(cross_certificates),
        cmocka_unit_test(a_thicket),
        cmocka_unit_test(valid_until_the_earliest_end),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
