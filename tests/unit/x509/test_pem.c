/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/pem.h"

/* What a file yields: 'c' a certificate, 'm' a malformed block. */
static void yields(const char *text, const char *expected)
{
    uint8_t *buffer = (uint8_t *)(uintptr_t)forge_text(0x04, text).data;
    struct x509_pem_reader reader;
    struct slice der;

    x509_pem_begin(&reader, slice_text(text), buffer, strlen(text));
    for (; *expected; expected++) {
        enum assay_error error = x509_pem_next(&reader, &der);

        assert_int_equal(error, *expected == 'c' ? ASSAY_OK : ASSAY_ERR_MALFORMED);
        if (*expected == 'c')
            assert_true(der.len > 0);
    }
    assert_int_equal(x509_pem_next(&reader, &der), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(x509_pem_next(&reader, &der), ASSAY_ERR_NOT_FOUND);
}

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

static void blocks(void **state)
{
    (void)state;
    yields("", "");
    yields("no certificate here\n", "");
    yields(BEGIN END, "m");          /* empty */
    yields(BEGIN "MAA=\n", "m");     /* no END */
    yields(BEGIN "MAA\n" END, "m");  /* padding missing */
    yields(BEGIN "MAB=\n" END, "m"); /* bits behind the padding */
    yields(BEGIN "MA=A\n" END, "m"); /* data after it */
    yields(BEGIN "MAA==\n" END, "m");
    yields(BEGIN "M\n" END, "m");
    yields(BEGIN "MA*=\n" END, "m");
    yields(BEGIN "MAA=\n-----END PKCS7-----\n", "m");
    yields(BEGIN "MAA=\n" BEGIN "MAA=\n" END, "mc"); /* a lost END costs one block */
    yields("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "");
    yields("-----BEGIN TRUSTED CERTIFICATE-----\nMAA=\n-----END TRUSTED CERTIFICATE-----\n", "");
    yields(BEGIN "MAA=\n" END, "c");
    yields(BEGIN "MAA=\n-----END CERTIFICATE-----", "c");
    yields("-----BEGIN CERTIFICATE-----\r\nMAA=\r\n-----END CERTIFICATE-----\r\n", "c");
    yields("subject=CN=a\n" BEGIN " M A\tA=  \n" END "\nissuer=x\n" BEGIN "MAEA\n" END "tail", "cc");
    yields("-----BEGIN X509 CERTIFICATE-----\nMAA=\n-----END X509 CERTIFICATE-----\n", "c");
    yields(BEGIN "bad!\n" END BEGIN "MAA=\n" END, "mc");
}

static void says_the_line(void **state)
{
    static const char text[] = "one\ntwo\n" BEGIN "MAA=\n" END;
    uint8_t buffer[sizeof(text)];
    struct x509_pem_reader reader;
    struct slice der;

    (void)state;
    x509_pem_begin(&reader, slice_text(text), buffer, sizeof(buffer));
    assert_int_equal(x509_pem_next(&reader, &der), ASSAY_OK);
    assert_int_equal(reader.block_line, 3);
}

static void der_file(void **state)
{
    struct slice der = forge_certificate(&(struct forge){.subject = "a"}), out;
    struct x509_pem_reader reader;
    uint8_t buffer[4096];

    (void)state;
    x509_pem_begin(&reader, der, buffer, sizeof(buffer));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_OK);
    assert_true(slice_equal(out, der));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_ERR_NOT_FOUND);
}

static void pkcs7_file(void **state)
{
    struct slice a = forge_certificate(&(struct forge){.subject = "a"}),
                 b = forge_certificate(&(struct forge){.subject = "b"});
    struct slice bundle = FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.7.2"),
                                    FORGE_TLV(0xa0, FORGE_TLV(0x30, forge_integer(1), forge_hex("3100"),
                                                              FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.7.1")),
                                                              FORGE_TLV(0xa0, a, b), forge_hex("3100"))));
    struct slice empty = FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.7.2"),
                                   FORGE_TLV(0xa0, FORGE_TLV(0x30, forge_integer(1), forge_hex("3100"),
                                                             FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.7.1")),
                                                             FORGE_TLV(0xa0, forge_hex("0500")), forge_hex("3100"),
                                                             slice_of((uint8_t[200]){0}, 200))));
    struct x509_pem_reader reader;
    struct slice out;
    uint8_t buffer[4096];

    (void)state;
    x509_pem_begin(&reader, bundle, buffer, sizeof(buffer));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_OK);
    assert_true(slice_equal(out, a));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_OK);
    assert_true(slice_equal(out, b));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_ERR_NOT_FOUND);
    x509_pem_begin(&reader, empty, buffer, sizeof(buffer));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_ERR_NOT_FOUND);
}

static void writes_what_it_reads(void **state)
{
    uint8_t bytes[200];
    char text[512];
    uint8_t buffer[512];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t length = 1; length <= sizeof(bytes); length++) {
        struct x509_pem_reader reader;
        struct slice out;
        size_t need = x509_pem_write(slice_of(bytes, length), NULL, 0);

        assert_int_equal(x509_pem_write(slice_of(bytes, length), text, need - 1), need);
        assert_int_equal(x509_pem_write(slice_of(bytes, length), text, need), need);
        assert_int_equal(strlen(text), need - 1);
        x509_pem_begin(&reader, slice_text(text), buffer, sizeof(buffer));
        assert_int_equal(x509_pem_next(&reader, &out), ASSAY_OK);
        assert_true(slice_equal(out, slice_of(bytes, length)));
    }
}

/* CRLs by their own label, certificates beside them skipped; a DER as it is. */
static void reads_crls(void **state)
{
    static const char text[] = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
                               "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"
                               "-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n";
    struct x509_pem_reader reader;
    uint8_t buffer[256], der[200] = {0x30, 0x81, 0xc5};
    struct slice out;

    (void)state;
    x509_pem_begin_crls(&reader, slice_text(text), buffer, sizeof(buffer));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_OK);
    assert_true(slice_equal(out, slice_of("\x30\x00", 2)));
    assert_int_equal(reader.block_line, 4);
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_ERR_NOT_FOUND);
    x509_pem_begin(&reader, slice_text(text), buffer, sizeof(buffer));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_OK);
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_ERR_NOT_FOUND);
    x509_pem_begin_crls(&reader, slice_of(der, sizeof(der)), buffer, sizeof(buffer));
    assert_int_equal(x509_pem_next(&reader, &out), ASSAY_OK);
    assert_ptr_equal(out.data, der);
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
        cmocka_unit_test(reads_crls), cmocka_unit_test(blocks),     cmocka_unit_test(says_the_line),
        cmocka_unit_test(der_file),   cmocka_unit_test(pkcs7_file), cmocka_unit_test(writes_what_it_reads),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
