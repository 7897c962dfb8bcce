/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/drbg.h"

/* A child must not hand out what its parent hands out. */
static void test_fork_reseeds(void **state)
{
    struct drbg *drbg;
    uint8_t ours[64], theirs[64], before[16];
    int pipe_fds[2], status;
    pid_t child;

    assert_int_equal(drbg_create(&drbg), ASSAY_OK);
    assert_int_equal(drbg_generate(drbg, before, sizeof(before)), ASSAY_OK);
    assert_int_equal(pipe(pipe_fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int failed = drbg_generate(drbg, theirs, sizeof(theirs)) != ASSAY_OK || drbg_reseeds(drbg) != 1;

        _exit(failed || write(pipe_fds[1], theirs, sizeof(theirs)) != sizeof(theirs));
    }
    assert_int_equal(drbg_generate(drbg, ours, sizeof(ours)), ASSAY_OK);
    assert_int_equal(read(pipe_fds[0], theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_memory_not_equal(ours, theirs, sizeof(ours));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    drbg_free(drbg);
}

static void test_two_differ(void **state)
{
    struct drbg *a, *b;
    uint8_t from_a[32], from_b[32];

    assert_int_equal(drbg_create(&a), ASSAY_OK);
    assert_int_equal(drbg_create(&b), ASSAY_OK);
    assert_int_equal(drbg_generate(a, from_a, sizeof(from_a)), ASSAY_OK);
    assert_int_equal(drbg_generate(b, from_b, sizeof(from_b)), ASSAY_OK);
    assert_memory_not_equal(from_a, from_b, sizeof(from_a));
    drbg_free(a);
    drbg_free(b);
}

/* No bytes come twice, over refills of every phase; each byte value is about as frequent as the others. */
static void test_stream(void **state)
{
    static const size_t lengths[] = {1, 2, 31, 32, 33, 500, 991, 992, 993, 1024, 5000};
    static uint64_t seen[4096];
    uint32_t counts[256] = {0};
    size_t total = 0, words = 0;
    uint8_t buffer[5000];
    struct drbg *drbg;

    assert_int_equal(drbg_create(&drbg), ASSAY_OK);
    for (int round = 0; round < 8; round++)
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
            assert_int_equal(drbg_generate(drbg, buffer, lengths[i]), ASSAY_OK);
            for (size_t j = 0; j < lengths[i]; j++)
                counts[buffer[j]]++;
            total += lengths[i];
            if (lengths[i] >= 8)
                memcpy(&seen[words++], buffer, 8);
        }
    for (size_t i = 0; i < words; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    for (int i = 0; i < 256; i++) /* mean about 280, deviation 17: ten deviations */
        assert_in_range(counts[i], total / 256 - 170, total / 256 + 170);
    drbg_free(drbg);
}

static void test_reseeds_after_bytes(void **state)
{
    static uint8_t buffer[1 << 20];
    struct drbg *drbg;

    assert_int_equal(drbg_create(&drbg), ASSAY_OK);
    assert_int_equal(drbg_reseeds(drbg), 1);
    for (size_t done = 0; done <= DRBG_RESEED_BYTES + sizeof(buffer); done += sizeof(buffer))
        assert_int_equal(drbg_generate(drbg, buffer, sizeof(buffer)), ASSAY_OK);
    assert_int_equal(drbg_reseeds(drbg), 2);
    drbg_free(drbg);
}

static void test_kernel_random_any_length(void **state)
{
    static uint8_t a[100000], b[100000];

    assert_int_equal(drbg_kernel_random(a, 0), ASSAY_OK);
    assert_int_equal(drbg_kernel_random(a, sizeof(a)), ASSAY_OK);
    assert_int_equal(drbg_kernel_random(b, sizeof(b)), ASSAY_OK);
    assert_memory_not_equal(a + sizeof(a) - 32, b + sizeof(b) - 32, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_reseeds),
        cmocka_unit_test(test_two_differ),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_reseeds_after_bytes),
        cmocka_unit_test(test_kernel_random_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
