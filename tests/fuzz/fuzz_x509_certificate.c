/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certificate that parses points into its own bytes, walks to an end, and reads as printable text. */
#include "fuzz.h"
#include "x509/certificate.h"
#include "x509/describe.h"
#include "x509/dn.h"

static void check_names(struct slice list, struct slice whole, bool subtrees)
{
    enum x509_general_name kind;
    struct slice value;
    char text[256];

    while (subtrees ? x509_subtree_next(&list, &kind, &value) : x509_general_name_next(&list, &kind, &value)) {
        fuzz_within(value, whole);
        if (kind == X509_NAME_IP)
            FUZZ_CHECK(value.len == (subtrees ? 8 : 4) || value.len == (subtrees ? 32 : 16));
        if (kind == X509_NAME_DNS)
            FUZZ_CHECK(value.len == 0 || memchr(value.data, 0, value.len) == NULL);
        x509_describe_general_name(kind, value, text, sizeof(text));
    }
    FUZZ_CHECK(list.len == 0); /* what was accepted is read to its end */
}

static void check_dn(struct slice name, uint64_t hash)
{
    FUZZ_CHECK(dn_check(name) == ASSAY_OK);
    FUZZ_CHECK(dn_equal(name, name) && dn_is_within(name, name) && dn_hash(name) == hash);
}

static void check_text(const struct x509_certificate *certificate)
{
    char text[1024];
    size_t length = x509_describe_line(certificate, text, sizeof(text));

    FUZZ_CHECK(strlen(text) <= length);
    for (const char *p = text; *p; p++)
        FUZZ_CHECK((uint8_t)*p >= 0x20 && *p != 0x7f);
    (void)x509_describe_text(certificate, text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice der = slice_of(data, size);
    struct x509_certificate c, longer;
    const char *fault = NULL;

    if (x509_certificate_parse(der, &c, &fault) != ASSAY_OK) {
        FUZZ_CHECK(fault != NULL);
        return 0;
    }
    FUZZ_CHECK(c.version >= 1 && c.version <= 3 && c.serial.len >= 1 && c.serial.len <= 20 && c.issuer.len > 0);
    FUZZ_CHECK(slice_equal(c.der, der));
    fuzz_within(c.tbs, der);
    fuzz_within(c.spki, c.tbs);
    fuzz_within(c.key.point, c.spki);
    fuzz_within(c.key.rsa_n, c.spki);
    fuzz_within(c.signature, der);
    fuzz_within(c.ski, c.tbs);
    fuzz_within(c.aki_key_id, c.tbs);
    check_dn(c.subject, c.subject_hash);
    check_dn(c.issuer, c.issuer_hash);
    check_names(c.san, c.tbs, false);
    check_names(c.nc_permitted, c.tbs, true);
    check_names(c.nc_excluded, c.tbs, true);
    check_text(&c);
    /* One octet less is no certificate. */
    FUZZ_CHECK(x509_certificate_parse(slice_head(der, size - 1), &longer, NULL) != ASSAY_OK);
    return 0;
}
