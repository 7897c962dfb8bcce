/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "forge.h"
#include "x509/describe.h"

static struct x509_certificate parsed(const struct forge *what)
{
    struct x509_certificate certificate;

    assert_int_equal(x509_certificate_parse(forge_certificate(what), &certificate, NULL), ASSAY_OK);
    return certificate;
}

static struct slice attribute(const char *oid, uint8_t tag, struct slice value)
{
    return FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid(oid), FORGE_TLV(tag, value)));
}

static void names(void **state)
{
    const struct {
        struct slice name;
        const char *text;
    } cases[] = {
        {{NULL, 0}, ""},
        {attribute("2.5.4.3", 0x0c, slice_text("a\nb")), "CN=a\\0ab"},       /* no forged lines */
        {attribute("2.5.4.3", 0x0c, slice_text("a\x1b[0m")), "CN=a\\1b[0m"}, /* no terminal escapes */
        {attribute("2.5.4.3", 0x0c, slice_text("a,b=c+d")), "CN=a\\,b\\=c\\+d"},
        {attribute("2.5.4.3", 0x0c,
                   slice_text("\xe2\x80\xae"
                              "abc")),
         "CN=\\e2\\80\\aeabc"}, /* right-to-left override */
        {attribute("2.5.4.3", 0x0c, slice_text("\xff\xc3")), "CN=\\ff\\c3"},
        {attribute("2.5.4.3", 0x0c, slice_text("\xed\xa0\x80")), "CN=\\ed\\a0\\80"}, /* a surrogate */
        {attribute("2.5.4.3", 0x0c, slice_text("\xc0\x80")), "CN=\\c0\\80"},
        {attribute("2.5.4.3", 0x03, forge_hex("0061")), "CN=#0061"},
        {attribute("1.2.840.113549", 0x0c, slice_text("x")), "1.2.840.113549=x"},
        {attribute("2.5.4.3", 0x14, forge_hex("fc")), "CN=\xc3\xbc"},
        {forge_join(attribute("2.5.4.6", 0x13, slice_text("BE")),
                    forge_join(attribute("2.5.4.10", 0x13, slice_text("Steven")),
                               attribute("2.5.4.3", 0x0c, slice_text("cucm.steven.lab")))),
         "CN=cucm.steven.lab,O=Steven,C=BE"},
        {FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.10"), forge_text(0x0c, "o")),
                   FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, "c"))),
         "O=o+CN=c"},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length = x509_describe_dn(cases[i].name, text, sizeof(text));

        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
    x509_describe_common_name(cases[11].name, text, sizeof(text));
    assert_string_equal(text, "cucm.steven.lab");
    x509_describe_common_name(slice_of(NULL, 0), text, sizeof(text));
    assert_string_equal(text, "");
}

static void is_bounded(void **state)
{
    struct slice name = attribute("2.5.4.3", 0x0c, slice_text("abcdefgh"));
    char text[8] = "xxxxxxx";

    (void)state;
    assert_int_equal(x509_describe_dn(name, text, 0), 11);
    assert_string_equal(text, "xxxxxxx");
    assert_int_equal(x509_describe_dn(name, text, 1), 11);
    assert_string_equal(text, "");
    assert_int_equal(x509_describe_dn(name, text, 5), 11);
    assert_string_equal(text, "CN=a");
}

static void times(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {FORGE_NOW, "2023-11-14T22:13:20Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {951825600, "2000-02-29T12:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {-631152000, "1950-01-01T00:00:00Z"},
        {-62135596800, "0001-01-01T00:00:00Z"},
    };
    char text[X509_DESCRIBE_TIME_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        x509_describe_time(cases[i].seconds, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

static void keys_and_signatures(void **state)
{
    static const struct {
        enum forge_kind kind;
        int digest;
        bool pss;
        const char *key, *signature;
    } cases[] = {
        {FORGE_RSA1024, 1, false, "RSA 1024", "RSA with SHA-1"},
        {FORGE_RSA1024, 256, true, "RSA 1024", "RSA-PSS with SHA-256"},
        {FORGE_P256, 256, false, "EC P-256", "ECDSA with SHA-256"},
        {FORGE_P384, 384, false, "EC P-384", "ECDSA with SHA-384"},
        {FORGE_P521, 512, false, "EC P-521", "ECDSA with SHA-512"},
        {FORGE_ED25519, 256, false, "Ed25519", "Ed25519"},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = parsed(&(struct forge){
            .subject = "a", .key = forge_key(cases[i].kind, 0), .digest = cases[i].digest, .pss = cases[i].pss});

        x509_describe_key(&c, text, sizeof(text));
        assert_string_equal(text, cases[i].key);
        x509_describe_signature(&c, text, sizeof(text));
        assert_string_equal(text, cases[i].signature);
    }
}

static void general_names(void **state)
{
    struct slice names =
        forge_join(forge_join(forge_dns("a.b"), forge_ip("10.1.2.3")),
                   forge_join(forge_join(forge_ip("2001:db8::1"), forge_text(0x81, "a@b")),
                              forge_join(FORGE_TLV(0xa4, forge_name("x")),
                                         FORGE_TLV(0xa0, forge_oid("1.2.3"), FORGE_TLV(0xa0, forge_text(0x0c, "u"))))));
    static const char *const expected[] = {"DNS:a.b",   "IP:10.1.2.3",  "IP:2001:db8::1",
                                           "email:a@b", "DirName:CN=x", "other"};
    enum x509_general_name kind;
    struct slice value;
    char text[64];
    size_t i = 0;

    (void)state;
    while (x509_general_name_next(&names, &kind, &value)) {
        x509_describe_general_name(kind, value, text, sizeof(text));
        assert_string_equal(text, expected[i++]);
    }
    assert_int_equal(i, 6);
    x509_describe_general_name(X509_NAME_DNS, slice_text("a, DNS:b"), text, sizeof(text));
    assert_string_equal(text, "DNS:a\\, DNS:b");
}

static void whole_certificates(void **state)
{
    struct x509_certificate c = parsed(&(struct forge){
        .subject = "cucm.steven.lab",
        .issuer = "Steven CA",
        .serial = forge_hex("020200ff"),
        .extensions = {forge_san(forge_dns("cucm.steven.lab")), forge_ca(1), forge_usage(X509_KU_DIGITAL_SIGNATURE),
                       forge_purpose(FORGE_SERVER_AUTH), forge_ski("\x01\x02"), forge_aki("\xab")},
    });
    char text[2048];
    static const char expected[] = "  subject: CN=cucm.steven.lab\n"
                                   "  issuer: CN=Steven CA\n"
                                   "  serial: ff\n"
                                   "  not before: 2022-11-14T22:13:20Z\n"
                                   "  not after: 2024-11-13T22:13:20Z\n"
                                   "  key: EC P-256\n"
                                   "  signature: ECDSA with SHA-256\n"
                                   "  names: DNS:cucm.steven.lab\n"
                                   "  ca: yes, path length 1\n"
                                   "  usage: digitalSignature, serverAuth\n"
                                   "  subject key id: 0102\n"
                                   "  authority key id: ab\n"
                                   "  sha256: ";

    (void)state;
    x509_describe_text(&c, text, sizeof(text));
    assert_memory_equal(text, expected, sizeof(expected) - 1);
    assert_int_equal(strlen(text), sizeof(expected) - 1 + 64 + 1);
    x509_describe_line(&c, text, sizeof(text));
    assert_memory_equal(text, "CN=cucm.steven.lab (issued by CN=Steven CA) 2022-11-14T22:13:20Z to ", 68);
    assert_null(strchr(text, '\n'));
    c = parsed(&(struct forge){.subject = "a", .serial = forge_integer(0)});
    x509_describe_serial(&c, text, sizeof(text));
    assert_string_equal(text, "00");
    x509_describe_line(&c, text, sizeof(text));
    assert_memory_equal(text, "CN=a (self-issued) ", 19);
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
        cmocka_unit_test(names),         cmocka_unit_test(is_bounded),          cmocka_unit_test(times),
        cmocka_unit_test(general_names), cmocka_unit_test(keys_and_signatures), cmocka_unit_test(whole_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
