/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates one behind the other, judged as a chain; the first octet says which of them the store trusts, and how. The
 * verdict is the same when asked twice, bounded in work, and names a certificate of what was given. */
#include "fuzz.h"
#include "x509/der.h"
#include "x509/verify.h"

#define NOW 1700000000

static void check_result(const struct x509_result *result, const struct x509_policy *policy, size_t count)
{
    FUZZ_CHECK(result->signatures_checked <= policy->work_max);
    FUZZ_CHECK(result->path_length <= X509_PATH_MAX);
    FUZZ_CHECK(result->name_reason == X509_REASON_OK || result->name_reason == X509_REASON_NAME_MISMATCH);
    FUZZ_CHECK(result->depth >= 0 && result->depth <= X509_PATH_MAX);
    if (result->chain_reason == X509_REASON_OK)
        FUZZ_CHECK(result->path_length > 0 && result->valid_until_s >= NOW);
    else
        FUZZ_CHECK(count == 0 || result->fault.len > 0 || result->chain_reason == X509_REASON_MALFORMED);
}

static void judge(const struct slice *list, size_t count, uint8_t flags)
{
    struct x509_store *store = x509_store_create();
    struct x509_result result, again;
    struct x509_identity identity;
    struct x509_policy policy;
    enum assay_error error;

    x509_policy_default(&policy);
    policy.partial_chain = flags & 0x80;
    policy.sha1_allowed = flags & 0x40;
    policy.work_max = 16;
    for (size_t i = 0; i < count; i++)
        if (flags >> i % 6 & 1) {
            error = x509_store_add(store, list[i], (enum x509_role)(i % 3), NULL);
            FUZZ_CHECK(error != ASSAY_ERR_INTERNAL);
        }
    error = x509_identity_from_host(slice_text("cucm.steven.lab"), &identity);
    FUZZ_CHECK(error == ASSAY_OK);
    x509_verify(store, list, count, &identity, &policy, NOW, &result);
    check_result(&result, &policy, count);
    x509_verify(store, list, count, &identity, &policy, NOW, &again);
    FUZZ_CHECK(result.chain_reason == again.chain_reason && result.depth == again.depth &&
               result.path_length == again.path_length && result.valid_until_s == again.valid_until_s);
    x509_store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size), list[12];
    struct der_value value;
    size_t count = 0;
    uint8_t flags;

    if (size < 2)
        return 0;
    flags = data[0];
    rest = slice_tail(rest, 1);
    while (count < 12 && der_next(&rest, &value) == ASSAY_OK)
        list[count++] = value.whole;
    judge(list, count, flags);
    return 0;
}
