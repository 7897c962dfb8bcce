/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/mra_path.h"

static const char *encode(const char *text, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *p = out;

    *p++ = '/';
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)(uint8_t)text[i] << 16;

        bits |= i + 1 < len ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0;
        bits |= i + 2 < len ? (uint8_t)text[i + 2] : 0;
        *p++ = digits[bits >> 18];
        *p++ = digits[bits >> 12 & 63];
        if (i + 1 < len)
            *p++ = digits[bits >> 6 & 63];
        if (i + 2 < len)
            *p++ = digits[bits & 63];
    }
    strcpy(p, "/x");
    return out;
}

static void refuses_paths_that_name_no_origin(void **state)
{
    static const struct {
        const char *path, *why;
    } rows[] = {
        {"", "no path"},
        {"x", "no path"},
        {"/", "no path"},
        {"*", "no path"},
        {"//", "first segment is not base64"},
        {"//c3RldmVuLmxhYg", "first segment is not base64"},
        {"/c", "first segment is not base64"},
        {"/c3Rld", "first segment is not base64"},
        {"/index.html", "first segment is not base64"},
        {"/c3RldmVuLmxhYg%3D%3D/x", "first segment is not base64"},
        {"/c3RldmVuLmxhYg?x=1", "a query and no path"},
        {"/favicon", "first segment is not base64"},
        {"/webadmin", "bad domain"},
    };
    struct mra_target target;
    const char *why;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mra_path_parse(slice_text(rows[i].path), &target, &why), ASSAY_ERR_MALFORMED);
        assert_string_equal(why, rows[i].why);
    }
}

static void refuses_bad_fields(void **state)
{
    static const struct {
        const char *decoded, *why;
    } rows[] = {
        {"a.lab/https", "not one field and not four"},
        {"a.lab/https/h", "not one field and not four"},
        {"a.lab/https/h/1/2", "not one field and not four"},
        {"a.lab/https/h/1/", "not one field and not four"},
        {"a.lab/", "not one field and not four"},
        {"/https/h/1", "bad domain"},
        {"a..lab/https/h/1", "bad domain"},
        {"-a/https/h/1", "bad domain"},
        {"10.0.0.1/https/h/1", "bad domain"},
        {"a b", "bad domain"},
        {"a.lab/ftp/h/1", "unknown scheme"},
        {"a.lab//h/1", "unknown scheme"},
        {"a.lab/https /h/1", "unknown scheme"},
        {"a.lab/https/h/", "bad port"},
        {"a.lab/https/h/0", "bad port"},
        {"a.lab/https/h/65536", "bad port"},
        {"a.lab/https/h/99999999999", "bad port"},
        {"a.lab/https/h/08443", "bad port"},
        {"a.lab/https/h/+80", "bad port"},
        {"a.lab/https/h/80 ", "bad port"},
        {"a.lab/https//80", "bad host"},
        {"a.lab/https/h./80", "bad host"},
        {"a.lab/https/h%2e/80", "bad host"},
        {"a.lab/https/u@h/80", "bad host"},
        {"a.lab/https/h:80/80", "bad host"},
        {"a.lab/https/h\\x/80", "bad host"},
        {"a.lab/https/10.48.36/80", "bad host"},
        {"a.lab/https/010.48.36.215/80", "bad host"},
        {"a.lab/https/0x7f.1/80", "bad host"},
        {"a.lab/https/0x7f000001/80", "bad host"},
        {"a.lab/https/2130706433/80", "bad host"},
        {"a.lab/https/[h]/80", "bad host"},
        {"a.lab/https/[10.0.0.1]/80", "bad host"},
        {"a.lab/https/[::1/80", "bad host"},
        {"a.lab/https/fe80::1%eth0/80", "bad host"},
        {"a.lab/https/h\xc3\xa9/80", "bad host"},
    };
    char path[900];
    struct mra_target target;
    const char *why;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        encode(rows[i].decoded, strlen(rows[i].decoded), path);
        assert_int_equal(mra_path_parse(slice_text(path), &target, &why), ASSAY_ERR_MALFORMED);
        assert_string_equal(why, rows[i].why);
    }
    assert_int_equal(mra_path_parse(slice_text(encode("a.lab/https/h\0x/80", 18, path)), &target, &why),
                     ASSAY_ERR_MALFORMED);
}

static void refuses_what_is_longer_than_any_host(void **state)
{
    char path[2000] = "/";
    struct mra_target target;
    const char *why;

    memset(path + 1, 'Y', 1200);
    assert_int_equal(mra_path_parse(slice_text(path), &target, &why), ASSAY_ERR_MALFORMED);
}

static void reads_paths(void **state)
{
    static const struct {
        const char *path, *domain, *host, *rest;
        uint16_t port;
        bool https;
    } rows[] = {
        /* MRA S13, verbatim */
        {"/c3RldmVuLmxhYi9odHRwcy9jdWNtLnN0ZXZlbi5sYWIvODQ0Mw/cucm-uds/user/emusk/devices?max=100", "steven.lab",
         "cucm.steven.lab", "/cucm-uds/user/emusk/devices?max=100", 8443, true},
        {"/c3RldmVuLmxhYi9odHRwcy8xMC40OC4zNi4yMTUvODQ0Mw/cucm-uds/user/emusk/devices", "steven.lab", "10.48.36.215",
         "/cucm-uds/user/emusk/devices", 8443, true},
        /* padding, no rest, "/" alone */
        {"/c3RldmVuLmxhYi9odHRwcy9jdWNtLnN0ZXZlbi5sYWIvODQ0Mw==", "steven.lab", "cucm.steven.lab", "/", 8443, true},
        {"/c3RldmVuLmxhYi9odHRwcy9jdWNtLnN0ZXZlbi5sYWIvODQ0Mw==/", "steven.lab", "cucm.steven.lab", "/", 8443, true},
    };
    struct mra_target target;
    const char *why;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mra_path_parse(slice_text(rows[i].path), &target, &why), ASSAY_OK);
        assert_false(target.edge_config);
        assert_true(slice_is(target.domain, rows[i].domain));
        assert_true(slice_is(target.host, rows[i].host));
        assert_true(slice_is(target.rest, rows[i].rest));
        assert_int_equal(target.port, rows[i].port);
        assert_int_equal(target.https, rows[i].https);
    }
}

static void reads_hosts_in_their_one_spelling(void **state)
{
    static const struct {
        const char *decoded, *domain, *host;
        uint16_t port;
        bool https;
    } rows[] = {
        {"Steven.LAB/HTTP/CUCM.Steven.lab/6970", "steven.lab", "cucm.steven.lab", 6970, false},
        {"a.lab/https/vcs_control.steven.lab/65535", "a.lab", "vcs_control.steven.lab", 65535, true},
        {"lab/https/2001:DB8:0:0::1/1", "lab", "2001:db8::1", 1, true},
        {"lab/https/[2001:db8::1]/1", "lab", "2001:db8::1", 1, true},
        {"lab/https/1:2:3:4:5:6:7:8/8443", "lab", "1:2:3:4:5:6:7:8", 8443, true},
        {"lab/https/::ffff:10.0.0.1/8443", "lab", "10.0.0.1", 8443, true},
    };
    char path[900];
    struct mra_target target;
    const char *why;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        encode(rows[i].decoded, strlen(rows[i].decoded), path);
        assert_int_equal(mra_path_parse(slice_text(path), &target, &why), ASSAY_OK);
        assert_true(slice_is(target.domain, rows[i].domain));
        assert_true(slice_is(target.host, rows[i].host));
        assert_int_equal(target.port, rows[i].port);
        assert_int_equal(target.https, rows[i].https);
        assert_true(slice_is(target.rest, "/x"));
    }
}

static void reads_the_edge_config_form(void **state)
{
    struct mra_target target;
    const char *why;

    assert_int_equal(
        mra_path_parse(slice_text("/c3RldmVuLmxhYg/get_edge_config?service_name=_cisco-uds"), &target, &why), ASSAY_OK);
    assert_true(target.edge_config);
    assert_true(slice_is(target.domain, "steven.lab"));
    assert_int_equal(target.host.len, 0);
    assert_true(slice_is(target.rest, "/get_edge_config?service_name=_cisco-uds"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_paths_that_name_no_origin),    cmocka_unit_test(refuses_bad_fields),
        cmocka_unit_test(refuses_what_is_longer_than_any_host), cmocka_unit_test(reads_paths),
        cmocka_unit_test(reads_hosts_in_their_one_spelling),    cmocka_unit_test(reads_the_edge_config_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
