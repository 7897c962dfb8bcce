/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "forge.h"
#include "x509/pem.h"

#define AT "1700000000"

static char directory[] = "/tmp/assay-verify-XXXXXX";
static char output[65536], complaint[4096];

/* A file of the test's directory; name must be a literal. */
static const char *file(const char *name)
{
    static char paths[64][128];
    static unsigned next;
    char *path = paths[next++ % 64];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const struct slice *ders, size_t count, const char *text)
{
    FILE *out = fopen(file(name), "w");
    char block[16384];

    assert_non_null(out);
    for (size_t i = 0; i < count; i++) {
        assert_true(x509_pem_write(ders[i], block, sizeof(block)) <= sizeof(block));
        fputs(block, out);
    }
    fputs(text, out);
    fclose(out);
}

#define WRITE(name, ...) \
    write_file(name, FORGE_PARTS(__VA_ARGS__), sizeof(FORGE_PARTS(__VA_ARGS__)) / sizeof(struct slice), "")

static int run(const char *const *words)
{
    static char name[] = "verify";
    char *argv[32] = {name};
    int argc = 1, status;
    FILE *out, *err;

    while (words[argc - 1] != NULL && argc < 31) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
        argc++;
    }
    memset(output, 0, sizeof(output));
    memset(complaint, 0, sizeof(complaint));
    out = fmemopen(output, sizeof(output) - 1, "w");
    err = fmemopen(complaint, sizeof(complaint) - 1, "w");
    status = ctl_verify(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return status;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void write_der(const char *name, struct slice der)
{
    FILE *out = fopen(file(name), "w");

    assert_non_null(out);
    assert_int_equal(fwrite(der.data, 1, der.len, out), der.len);
    fclose(out);
}

static int setup(void **state)
{
    void *root = forge_key(FORGE_P256, 0), *middle = forge_key(FORGE_P256, 1), *key = forge_key(FORGE_P256, 2);
    struct slice ca = forge_certificate(&(struct forge){.subject = "R", .key = root, .extensions = {forge_ca(-1)}});
    struct slice inter = forge_certificate(
        &(struct forge){.subject = "I", .issuer = "R", .key = middle, .signer = root, .extensions = {forge_ca(-1)}});
    struct slice leaf = forge_certificate(&(struct forge){.subject = "10.1.2.3",
                                                          .issuer = "I",
                                                          .key = key,
                                                          .signer = middle,
                                                          .extensions = {forge_san(forge_dns("cucm.steven.lab"))}});
    struct slice bare =
        forge_certificate(&(struct forge){.subject = "10.1.2.3", .issuer = "I", .key = key, .signer = middle});
    struct slice named =
        forge_certificate(&(struct forge){.subject = "cups.steven.lab", .issuer = "I", .key = key, .signer = middle});
    struct slice self = forge_certificate(
        &(struct forge){.subject = "self", .key = key, .extensions = {forge_san(forge_dns("cucm.steven.lab"))}});

    (void)state;
    assert_non_null(mkdtemp(directory));
    WRITE("root.pem", ca);
    WRITE("int.pem", inter);
    WRITE("chain.pem", leaf, inter);
    WRITE("leaf.pem", leaf);
    WRITE("bare.pem", bare, inter);
    WRITE("named.pem", named, inter);
    WRITE("self.pem", self);
    write_der("root.crl", forge_crl(&(struct forge_crl){.issuer = "R", .signer = root}));
    write_der("int.crl", forge_crl(&(struct forge_crl){.issuer = "I", .signer = middle}));
    write_der("revoked.crl", forge_crl(&(struct forge_crl){
                                 .issuer = "I",
                                 .signer = middle,
                                 .revoked = forge_revoked(forge_integer(0x1234), FORGE_NOW, forge_reason(1))}));
    write_der("delta.crl",
              forge_crl(&(struct forge_crl){.issuer = "I",
                                            .signer = middle,
                                            .extensions = {forge_extension("2.5.29.27", true, forge_integer(1))}}));
    write_file("empty.pem", NULL, 0, "no certificate in here\n");
    write_file("broken.pem", NULL, 0, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    write_file("mixed.pem", &ca, 1, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"root.pem",  "int.pem",  "chain.pem",   "leaf.pem",   "bare.pem",
                                        "named.pem", "self.pem", "empty.pem",   "broken.pem", "mixed.pem",
                                        "root.crl",  "int.crl",  "revoked.crl", "delta.crl"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(file(names[i]));
    rmdir(directory);
    forge_free();
    return 0;
}

static void wrong_usage(void **state)
{
    const char *root, *chain;

    (void)state;
    root = file("root.pem");
    chain = file("chain.pem");
    assert_int_equal(RUN(NULL), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--name", "a.b"), CTL_USAGE);
    assert_int_equal(RUN("--chain", chain, "--name", "a.b"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "a.b", "--bogus"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "a.b", "extra"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "a b"), CTL_USAGE);
    assert_string_equal(complaint, "assayctl verify: --name a b: neither a host name nor an IP address\n");
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "a.b", "--at", "soon"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "a.b", "--cn-match", "maybe"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "a.b", "--max-depth", "1000"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "a.b", "--max-depth", "-1"), CTL_USAGE);
    assert_int_equal(RUN("--trust", "/nonexistent", "--chain", chain, "--name", "a.b"), CTL_USAGE);
    assert_string_equal(complaint, "assayctl verify: /nonexistent: No such file or directory\n");
    assert_int_equal(RUN("--trust", root, "--chain", "/nonexistent", "--name", "a.b"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--intermediates", "/nonexistent", "--name", "a.b"),
                     CTL_USAGE);
    assert_int_equal(RUN("--trust", file("empty.pem"), "--chain", chain, "--name", "a.b"), CTL_USAGE);
    assert_int_equal(RUN("--trust", root, "--chain", file("empty.pem"), "--name", "a.b"), CTL_USAGE);
    assert_string_equal(output, "");
}

static void rejected(void **state)
{
    const char *root, *chain;

    (void)state;
    root = file("root.pem");
    chain = file("chain.pem");
    assert_int_equal(RUN("--trust", root, "--chain", file("self.pem"), "--name", "cucm.steven.lab", "--at", AT),
                     CTL_REFUSED);
    assert_non_null(strstr(output, "rejected: cucm.steven.lab at 2023-11-14T22:13:20Z\nreason: SELF_SIGNED_LEAF\n"
                                   "Error=self signed certificate depth=0\nalert: 48 unknown_ca\n"));
    assert_int_equal(RUN("--trust", root, "--chain", file("leaf.pem"), "--name", "cucm.steven.lab", "--at", AT),
                     CTL_REFUSED);
    assert_non_null(strstr(output, "Error=unable to get local issuer certificate depth=0\n"));
    assert_int_equal(
        RUN("--trust", root, "--chain", chain, "--name", "cucm.steven.lab", "--at", "2034-01-01T00:00:00Z"),
        CTL_REFUSED);
    assert_non_null(strstr(output, "reason: EXPIRED\n"));
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "other.lab", "--at", AT), CTL_REFUSED);
    assert_non_null(strstr(output, "reason: NAME_MISMATCH\n"));
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "10.1.2.3", "--at", AT), CTL_REFUSED);
    /* A certificate that does not decode is a verdict, in the chain and in the trust. */
    assert_int_equal(RUN("--trust", root, "--chain", file("broken.pem"), "--name", "a.b", "--at", AT), CTL_REFUSED);
    assert_non_null(strstr(output, "reason: MALFORMED\n"));
    assert_int_equal(RUN("--trust", file("broken.pem"), "--chain", chain, "--name", "cucm.steven.lab", "--at", AT),
                     CTL_REFUSED);
    assert_non_null(strstr(complaint, "broken.pem:1: certificate 1 left out: the PEM block does not decode\n"));
}

static void accepted(void **state)
{
    const char *root, *chain;

    (void)state;
    root = file("root.pem");
    chain = file("chain.pem");
    assert_int_equal(RUN("--trust", root, "--chain", chain, "--name", "CUCM.steven.lab", "--at", AT), CTL_OK);
    assert_non_null(strstr(output, "accepted: cucm.steven.lab at 2023-11-14T22:13:20Z\npath:\n  0 CN=10.1.2.3 "));
    assert_string_equal(complaint, "");
    assert_int_equal(RUN("--trust", root, "--chain", file("leaf.pem"), "--intermediates", file("int.pem"), "--name",
                         "cucm.steven.lab", "--at", AT),
                     CTL_OK);
    /* every certificate given to --trust ends a path: an intermediate, the leaf itself */
    assert_int_equal(
        RUN("--trust", file("int.pem"), "--chain", file("leaf.pem"), "--name", "cucm.steven.lab", "--at", AT), CTL_OK);
    assert_int_equal(
        RUN("--trust", file("self.pem"), "--chain", file("self.pem"), "--name", "cucm.steven.lab", "--at", AT), CTL_OK);
    assert_int_equal(
        RUN("--trust", file("self.pem"), "--trust", root, "--chain", chain, "--name", "cucm.steven.lab", "--at", AT),
        CTL_OK);
    /* the unusable one is left out, and named */
    assert_int_equal(RUN("--trust", file("mixed.pem"), "--chain", chain, "--name", "cucm.steven.lab", "--at", AT),
                     CTL_OK);
    assert_non_null(strstr(complaint, ": certificate 2 left out: "));
}

static void settings(void **state)
{
    const char *root, *bare, *named;

    (void)state;
    root = file("root.pem");
    bare = file("bare.pem");
    named = file("named.pem");
    assert_int_equal(RUN("--trust", root, "--chain", bare, "--name", "10.1.2.3", "--at", AT), CTL_REFUSED);
    assert_int_equal(RUN("--trust", root, "--chain", bare, "--name", "10.1.2.3", "--at", AT, "--ip-as-dns"), CTL_OK);
    assert_non_null(strstr(output, "warning: the address was found spelled as a name\n"));
    assert_int_equal(RUN("--trust", root, "--chain", named, "--name", "cups.steven.lab", "--at", AT), CTL_OK);
    assert_int_equal(
        RUN("--trust", root, "--chain", named, "--name", "cups.steven.lab", "--at", AT, "--cn-match", "never"),
        CTL_REFUSED);
    assert_int_equal(
        RUN("--trust", root, "--chain", named, "--name", "cups.steven.lab", "--at", AT, "--max-depth", "0"),
        CTL_REFUSED);
    assert_non_null(strstr(output, "reason: CHAIN_TOO_LONG\n"));
    assert_int_equal(
        RUN("--trust", root, "--chain", named, "--name", "cups.steven.lab", "--at", AT, "--max-depth", "1"), CTL_OK);
    assert_int_equal(
        RUN("--trust", root, "--chain", named, "--name", "cups.steven.lab", "--at", AT, "--max-depth", "255"), CTL_OK);
    assert_int_equal(RUN("--help"), CTL_OK);
    assert_non_null(strstr(output, "--intermediates"));
}

#define GOOD "--trust", file("root.pem"), "--chain", file("chain.pem"), "--name", "cucm.steven.lab", "--at", AT

static void revocation(void **state)
{
    (void)state;
    assert_int_equal(RUN(GOOD, "--crl", "/nonexistent"), CTL_USAGE);
    assert_int_equal(RUN(GOOD, "--crl", file("root.pem")), CTL_USAGE);
    assert_non_null(strstr(complaint, "root.pem: no CRL in it\n"));
    assert_int_equal(RUN(GOOD, "--revocation", "maybe"), CTL_USAGE);
    assert_string_equal(complaint, "assayctl verify: --revocation maybe: not one of off, soft-fail, hard-fail\n");
    assert_int_equal(RUN(GOOD, "--crl", file("root.crl"), "--crl", file("revoked.crl")), CTL_REFUSED);
    assert_non_null(strstr(output, "reason: REVOKED\nError=certificate revoked depth=0\nalert: 44 "
                                   "certificate_revoked\ndetail: keyCompromise\n"));
    assert_int_equal(RUN(GOOD, "--crl", file("revoked.crl"), "--revocation", "soft-fail"), CTL_REFUSED);
    assert_int_equal(RUN(GOOD, "--crl", file("root.crl")), CTL_REFUSED);
    assert_non_null(strstr(output, "Error=unable to get certificate CRL depth=0\n"));
    assert_int_equal(RUN(GOOD, "--revocation", "hard-fail"), CTL_REFUSED);
    assert_int_equal(RUN(GOOD, "--crl", file("root.crl"), "--crl", file("delta.crl")), CTL_REFUSED);
    assert_non_null(strstr(complaint, "delta.crl:0: CRL 1 left out: a delta CRL: give the complete one\n"));
    assert_int_equal(RUN(GOOD, "--crl", file("root.crl"), "--revocation", "soft-fail"), CTL_OK);
    assert_non_null(strstr(output, "warning: whether a certificate of the path is revoked is not known\n"));
    assert_int_equal(RUN(GOOD, "--crl", file("revoked.crl"), "--revocation", "off"), CTL_OK);
    assert_int_equal(RUN(GOOD, "--crl", file("root.crl"), "--crl", file("int.crl")), CTL_OK);
    assert_non_null(strstr(output, "valid until: 2023-11-14T23:13:20Z\n")); /* the CRLs' nextUpdate */
}

static void profiles(void **state)
{
    (void)state;
    assert_int_equal(RUN(GOOD, "--profile", "lax"), CTL_USAGE);
    assert_int_equal(RUN(GOOD, "--purpose", "mail"), CTL_USAGE);
    assert_int_equal(RUN(GOOD, "--pin", "00"), CTL_USAGE);
    assert_int_equal(RUN(GOOD, "--profile", "enterprise", "--purpose", "client"), CTL_OK);
    assert_int_equal(RUN(GOOD, "--profile", "webpki"), CTL_REFUSED);
    assert_non_null(strstr(output, "reason: PROFILE\n"));
    assert_non_null(strstr(output, "detail: there is no authorityKeyIdentifier (RFC 5280 4.2.1.1)\n"));
    assert_int_equal(RUN(GOOD, "--pin", "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"),
                     CTL_REFUSED);
    assert_non_null(strstr(output, "reason: PIN_MISMATCH\n"));
    assert_int_equal(RUN("--trust", file("root.pem"), "--chain", file("chain.pem"), "--name", "b\xc3\xbc.lab"),
                     CTL_USAGE);
    assert_non_null(strstr(complaint, "not ASCII: give it as A-labels"));
}

/* Each way up that failed, and where. */
static void traces(void **state)
{
    (void)state;
    assert_int_equal(RUN("--trust", file("self.pem"), "--chain", file("chain.pem"), "--name", "cucm.steven.lab", "--at",
                         AT, "--json"),
                     CTL_REFUSED);
    assert_non_null(strstr(output, "\"failed_paths\": [\n    {\n      \"reason\": \"UNKNOWN_ISSUER\""));
    assert_non_null(strstr(output, "\"reached_trust\": false"));
    assert_non_null(strstr(output, "\"subject\": \"CN=I\""));
    assert_int_equal(RUN(GOOD, "--json"), CTL_OK);
    assert_non_null(strstr(output, "\"failed_paths\": []"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage), cmocka_unit_test(rejected),   cmocka_unit_test(accepted),
        cmocka_unit_test(settings),    cmocka_unit_test(revocation), cmocka_unit_test(profiles),
        cmocka_unit_test(traces),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
