/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/chain.h"

static void refuses_nothing(void **state)
{
    (void)state;
    assert_null(x509_chain_create(NULL, 0));
    x509_chain_unref(NULL);
}

static void copies_and_counts(void **state)
{
    uint8_t leaf[] = "leaf", issuer[] = "issuer";
    struct slice presented[] = {slice_of(leaf, 4), slice_of(NULL, 0), slice_of(issuer, 6)};
    struct x509_chain_digest digest;
    struct x509_chain *chain;
    const struct slice *slices;
    size_t count;

    (void)state;
    x509_chain_digest(presented, 3, &digest);
    chain = x509_chain_create(presented, 3);
    memset(leaf, 0, 4);
    memset(issuer, 0, 6);
    assert_ptr_equal(x509_chain_ref(chain), chain);
    x509_chain_unref(chain);
    slices = x509_chain_slices(chain, &count);
    assert_int_equal(count, 3);
    assert_true(slice_is(slices[0], "leaf"));
    assert_int_equal(slices[1].len, 0);
    assert_true(slice_is(slices[2], "issuer"));
    assert_memory_equal(x509_chain_digests(chain), &digest, sizeof(digest));
    assert_true(x509_chain_bytes(chain) >= 10);
    assert_int_equal(x509_chain_staple(chain).len, 0);
    x509_chain_unref(chain);
}

static void keeps_the_staple(void **state)
{
    struct slice presented[] = {slice_text("leaf")};
    struct x509_chain *chain = x509_chain_create_stapled(presented, 1, slice_text("response"));
    struct x509_chain_digest digest;
    size_t count;

    (void)state;
    assert_true(slice_is(x509_chain_staple(chain), "response"));
    assert_true(slice_is(x509_chain_slices(chain, &count)[0], "leaf"));
    assert_int_equal(count, 1);
    x509_chain_digest(presented, 1, &digest);
    assert_memory_not_equal(x509_chain_digests(chain), &digest, sizeof(digest));
    x509_chain_digest_staple(slice_text("response"), &digest);
    assert_memory_equal(x509_chain_digests(chain), &digest, sizeof(digest));
    x509_chain_unref(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses_nothing), cmocka_unit_test(copies_and_counts),
                                       cmocka_unit_test(keeps_the_staple)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
