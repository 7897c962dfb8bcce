/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/trust_file.h"
#include "forge.h"
#include "scratch.h"

static struct stat status_of(const char *name)
{
    struct stat status;

    assert_int_equal(stat(scratch_path(name), &status), 0);
    return status;
}

/* As if it had been written so many seconds ago: but for the time of its inode, which nobody can set. */
static void set_age(const char *name, int seconds)
{
    const struct timespec times[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};

    assert_int_equal(utimensat(AT_FDCWD, scratch_path(name), times, 0), 0);
}

static void what_is_no_certificate_is_refused_with_its_number(void **state)
{
    const struct slice good = scratch_ca("ca", 0);
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"", "holds no certificate (PEM, DER or PKCS#7)"},
        {"hello\n", "holds no certificate (PEM, DER or PKCS#7)"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1: "},
        {"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "certificate 1: cannot be decoded"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct problems problems = {0};

        assert_null(trust_file_parse(slice_text(rows[i].text), "upload", &problems));
        assert_int_equal(problems.count, 1);
        assert_non_null(strstr(problems.items[0], "upload"));
        assert_non_null(strstr(problems.items[0], rows[i].problem));
        problems_free(&problems);
    }
    for (size_t length = 1; length < good.len; length += 97) {
        struct problems problems = {0};

        assert_null(trust_file_parse(slice_head(good, length), "upload", &problems));
        assert_true(problems.count > 0);
        problems_free(&problems);
    }
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    struct problems problems = {0};
    struct stat status = {0};

    assert_null(trust_file_read(scratch_path("nowhere.pem"), &status, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0], "nowhere.pem"));
    problems_free(&problems);
}

static void a_file_has_its_certificates_in_order_and_lives_as_long_as_its_last_reference(void **state)
{
    const struct slice one = scratch_ca("one", 0), two = scratch_ca("two", 1);
    struct problems problems = {0};
    struct trust_file *file;
    struct stat status;
    uint8_t nobody[X509_FINGERPRINT_SIZE] = {0};

    SCRATCH_PEM("two.pem", one, two, one);
    status = status_of("two.pem");
    file = trust_file_read(scratch_path("two.pem"), &status, &problems);
    assert_non_null(file);
    assert_int_equal(file->count, 3); /* as it is on disk: duplicates too */
    assert_true(slice_equal(file->items[0].certificate.der, one));
    assert_true(slice_equal(file->items[1].certificate.der, two));
    assert_int_equal(file->items[1].number, 2);
    assert_string_equal(file->path, scratch_path("two.pem"));
    assert_true(trust_file_holds(file, file->items[1].certificate.sha256));
    assert_false(trust_file_holds(file, nobody));
    assert_ptr_equal(trust_file_take(file), file);
    trust_file_drop(file);
    assert_true(slice_equal(file->items[1].certificate.subject, file->items[1].certificate.issuer));
    trust_file_drop(file);
    trust_file_drop(NULL);
    problems_free(&problems);
}

/* What was written to just now may be written to again within the same tick of the file system's clock. */
static void only_a_file_that_was_settled_and_is_the_same_is_current(void **state)
{
    struct problems problems = {0};
    struct stat status, other;
    struct trust_file *file;

    SCRATCH_PEM("settled.pem", scratch_ca("one", 0));
    set_age("settled.pem", 60);
    status = status_of("settled.pem");
    file = trust_file_read(scratch_path("settled.pem"), &status, &problems);
    assert_non_null(file);
    assert_false(file->settled); /* its inode was changed just now */
    assert_false(trust_file_is_current(file, &status));
    trust_file_drop(file);

    status.st_ctim.tv_sec -= 60;
    file = trust_file_read(scratch_path("settled.pem"), &status, &problems);
    assert_non_null(file);
    assert_true(trust_file_is_current(file, &status));
    for (int i = 0; i < 5; i++) {
        other = status;
        *(i == 0 ? (long *)&other.st_mtim.tv_nsec : (long *)&other.st_ctim.tv_nsec) ^= i < 2;
        other.st_size += i == 2;
        other.st_ino += i == 3;
        other.st_dev += i == 4;
        assert_false(trust_file_is_current(file, &other));
    }
    trust_file_drop(file);
    problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_certificate_is_refused_with_its_number),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(a_file_has_its_certificates_in_order_and_lives_as_long_as_its_last_reference),
        cmocka_unit_test(only_a_file_that_was_settled_and_is_the_same_is_current),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
