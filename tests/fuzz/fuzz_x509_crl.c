/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A CRL, and behind it perhaps certificates that it is asked about. What parses is indexed: every entry is found, none is that
 * is not there, and whether it speaks for a certificate does not depend on being asked twice. */
#include "fuzz.h"
#include "x509/crl_set.h"
#include "x509/der.h"

static bool listed(const struct x509_crl *crl, struct slice serial)
{
    struct slice rest = crl->revoked;
    struct x509_crl_entry entry;

    while (x509_crl_entry_next(&rest, &entry))
        if (slice_equal(entry.serial, serial))
            return true;
    return false;
}

static void check_record(const struct x509_crl_record *record)
{
    const struct x509_crl *crl = &record->crl;
    struct x509_crl_entry entry, found;
    struct slice rest = crl->revoked;
    size_t count = 0;

    while (x509_crl_entry_next(&rest, &entry)) {
        FUZZ_CHECK(entry.reason <= 10 && entry.serial.len > 0);
        FUZZ_CHECK(count++ < crl->entry_count);
        FUZZ_CHECK(x509_crl_record_find(record, entry.serial, &found));
        FUZZ_CHECK(slice_equal(found.serial, entry.serial));
    }
    FUZZ_CHECK(rest.len == 0 && count == crl->entry_count);
    FUZZ_CHECK(!crl->scope.indirect && crl->issuer.len > 0 && crl->version >= 1 && crl->version <= 2);
}

static void ask(const struct x509_crl_set *set, const struct x509_certificate *certificate)
{
    const struct x509_crl_record *record;
    size_t next = 0;

    while ((record = x509_crl_set_next(set, certificate->issuer, certificate->issuer_hash, &next)) != NULL) {
        uint16_t reasons = x509_crl_scope_reasons(&record->crl.scope, certificate);

        FUZZ_CHECK((reasons & ~X509_REASONS_ALL) == 0);
        FUZZ_CHECK(reasons == x509_crl_scope_reasons(&record->crl.scope, certificate));
        FUZZ_CHECK(x509_crl_record_find(record, certificate->serial, NULL) ==
                   listed(&record->crl, certificate->serial));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x509_crl_set *set = x509_crl_set_create();
    struct slice rest = slice_of(data, size);
    struct der_value value;
    const char *fault = NULL;

    FUZZ_CHECK(set != NULL);
    while (der_next(&rest, &value) == ASSAY_OK) {
        struct x509_certificate certificate;
        enum assay_error error = x509_crl_set_add(set, value.whole, &fault);

        FUZZ_CHECK(error == ASSAY_OK || error == ASSAY_ERR_DUPLICATE ||
                   ((error == ASSAY_ERR_MALFORMED || error == ASSAY_ERR_UNSUPPORTED) && fault != NULL));
        if (x509_certificate_parse(value.whole, &certificate, NULL) == ASSAY_OK)
            ask(set, &certificate);
    }
    if (x509_crl_set_count(set) == 0)
        (void)!x509_crl_set_add(set, slice_of(data, size), &fault);
    for (size_t i = 0; i < x509_crl_set_count(set); i++)
        check_record(x509_crl_set_at(set, i));
    x509_crl_set_free(set);
    return 0;
}
