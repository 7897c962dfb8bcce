/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/file.h"

static void refuses(void **state)
{
    uint8_t *data = NULL;
    size_t size;

    (void)state;
    assert_int_equal(ctl_file_read("/nonexistent/file", &data, &size), ASSAY_ERR_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(ctl_file_read("/", &data, &size), ASSAY_ERR_IO); /* a directory */
    assert_int_equal(ctl_file_read("/dev/zero", &data, &size), ASSAY_ERR_LIMIT);
    assert_null(data);
}

static void reads_any_size(void **state)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 200000};
    char path[] = "/tmp/assay-test-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *bytes = malloc(sizes[i] + 1), *data;
        size_t size;

        for (size_t j = 0; j < sizes[i]; j++)
            bytes[j] = (uint8_t)(j * 7);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bytes, sizes[i], 0), sizes[i]);
        assert_int_equal(ctl_file_read(path, &data, &size), ASSAY_OK);
        assert_int_equal(size, sizes[i]);
        assert_int_equal(memcmp(data, bytes, size), 0);
        free(data);
        free(bytes);
    }
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(reads_any_size)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
