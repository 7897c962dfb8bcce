/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/crl_url.h"

static void refuses(void **state)
{
    static const struct {
        const char *text;
        enum assay_error error;
    } cases[] = {
        {"", ASSAY_ERR_UNSUPPORTED},
        {"http:", ASSAY_ERR_UNSUPPORTED},
        {"http:/a/b", ASSAY_ERR_UNSUPPORTED},
        {"ldap://a/cn=x", ASSAY_ERR_UNSUPPORTED},
        {"file:///etc/passwd", ASSAY_ERR_UNSUPPORTED},
        {"ftp://a/b", ASSAY_ERR_UNSUPPORTED},
        {"//a/b", ASSAY_ERR_UNSUPPORTED},
        {"httpx://a/b", ASSAY_ERR_UNSUPPORTED},
        {"http://", ASSAY_ERR_MALFORMED},
        {"http:///a", ASSAY_ERR_MALFORMED},
        {"http://user@a/", ASSAY_ERR_MALFORMED},
        {"http://user:pass@a/", ASSAY_ERR_MALFORMED},
        {"http://a:0/", ASSAY_ERR_MALFORMED},
        {"http://a:65536/", ASSAY_ERR_MALFORMED},
        {"http://a:080/", ASSAY_ERR_MALFORMED},
        {"http://a:/", ASSAY_ERR_MALFORMED},
        {"http://2001:db8::1/", ASSAY_ERR_MALFORMED},
        {"http://[198.18.0.1]/", ASSAY_ERR_MALFORMED},
        {"http://0x7f.1/", ASSAY_ERR_MALFORMED},
        {"http://127.1/", ASSAY_ERR_MALFORMED},
        {"http://a%2eb/", ASSAY_ERR_MALFORMED},
        {"http://a\\b/", ASSAY_ERR_MALFORMED},
        {"http://a/b#c", ASSAY_ERR_MALFORMED},
        {"http://a/b c", ASSAY_ERR_MALFORMED},
        {"http://a/b\r\nHost: c", ASSAY_ERR_MALFORMED},
        {"http://a/\xc3\xa4", ASSAY_ERR_MALFORMED},
        {"http://a/b\\c", ASSAY_ERR_MALFORMED},
        {"http://a#@b/", ASSAY_ERR_MALFORMED},
    };
    char longest[CRL_URL_MAX + 20] = "http://a/";
    struct crl_url url;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (crl_url_parse(slice_text(cases[i].text), &url) != cases[i].error)
            fail_msg("%s", cases[i].text);
    assert_int_equal(crl_url_parse(slice_of("http://a\0b/", 11), &url), ASSAY_ERR_MALFORMED);
    assert_int_equal(crl_url_parse(slice_of("http://a/\0b", 11), &url), ASSAY_ERR_MALFORMED);
    memset(longest + 9, 'x', CRL_URL_MAX - 8);
    assert_int_equal(crl_url_parse(slice_text(longest), &url), ASSAY_ERR_MALFORMED);
    longest[CRL_URL_MAX] = '\0';
    assert_int_equal(crl_url_parse(slice_text(longest), &url), ASSAY_OK);
    assert_string_equal(url.text, longest);
}

static void reads(void **state)
{
    static const struct {
        const char *text, *canonical, *host;
        unsigned port;
        bool https;
    } cases[] = {
        {"http://crl.steven.lab/root.crl", "http://crl.steven.lab/root.crl", "crl.steven.lab", 80, false},
        {"HTTP://CRL.Steven.lab:80/Root.crl", "http://crl.steven.lab/Root.crl", "crl.steven.lab", 80, false},
        {"https://a", "https://a/", "a", 443, true},
        {"https://a:443?x=1", "https://a/?x=1", "a", 443, true},
        {"http://a:443/", "http://a:443/", "a", 443, false},
        {"http://a:8080?", "http://a:8080/?", "a", 8080, false},
        {"http://198.18.2.53/a%20b.crl", "http://198.18.2.53/a%20b.crl", "198.18.2.53", 80, false},
        {"http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/", "2001:db8::1", 8080, false},
        {"http://[::ffff:198.18.2.53]/", "http://198.18.2.53/", "198.18.2.53", 80, false},
        {"http://a//b/../c;d=e?f=/@:!$'()*+,", "http://a//b/../c;d=e?f=/@:!$'()*+,", "a", 80, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct crl_url url, again;

        assert_int_equal(crl_url_parse(slice_text(cases[i].text), &url), ASSAY_OK);
        assert_string_equal(url.text, cases[i].canonical);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.https, cases[i].https);
        assert_int_equal(crl_url_parse(slice_text(url.text), &again), ASSAY_OK);
        assert_memory_equal(&url, &again, sizeof(url));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(reads)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
