/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include <pcap/bpf.h>

#include "daemon/capture_filter.h"

/* TCP from 198.18.1.7:50000 to 198.18.0.10:8443, SYN. */
static const uint8_t syn[] = {2,    0,    0, 0, 0,  0x10, 2, 0, 0,   0,  0,    0x99, 8,    0,    0x45, 0,  0,    40,
                              0,    0,    0, 0, 64, 6,    0, 0, 198, 18, 1,    7,    198,  18,   0,    10, 0xc3, 0x50,
                              0x20, 0xfb, 0, 0, 0,  1,    0, 0, 0,   0,  0x50, 2,    0xff, 0xff, 0,    0,  0,    0};

static void refused_with_a_reason(void **state)
{
    static const struct {
        const char *filter, *expected;
    } cases[] = {
        {"host cucm.steven.lab", "'cucm.steven.lab' is no word"}, /* nothing is looked up */
        {"host 1.de", "'1.de' is no word"},
        {"host 3com.com", "'3com.com' is no word"},
        {"port https", "'https' is no word"},
        {"gateway 198.18.0.1", "'gateway' is no word"},
        {"ip protochain 6", "'protochain' is no word"},
        {"inbound", "'inbound' is no word"},
        {"tcp port 8443; reboot", "';' (0x3b)"},
        {"tcp \x01", "'?' (0x01)"},
        {"tcp port \"8443\"", "'\"' (0x22)"},
        {"host fe80::zz", "'fe80::zz' is no word"},
        {"tcp port", "syntax error"},
        {"and and", "syntax error"},
        {"(tcp", "syntax error"},
        {"host 198.18.0.999", "198.18.0.999"},
        {"port 99999", ""},
    };
    static char longer[CAPTURE_FILTER_MAX + 2];
    struct bpf_insn *filter;
    char error[256];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        error[0] = '\0';
        if (capture_filter_compile(cases[i].filter, 65535, &filter, error, sizeof(error)))
            fail_msg("%s was taken", cases[i].filter);
        assert_null(filter);
        if (strstr(error, cases[i].expected) == NULL || error[0] == '\0')
            fail_msg("%s: %s", cases[i].filter, error);
    }
    memset(longer, '(', sizeof(longer) - 1);
    assert_false(capture_filter_compile(longer, 65535, &filter, error, sizeof(error)));
}

static void a_filter_chooses(void **state)
{
    static const struct {
        const char *filter;
        bool passes;
    } cases[] = {
        {"tcp", true},
        {"udp", false},
        {"arp or ip6 or icmp or icmp6", false},
        {"tcp port 8443 and host 198.18.1.7", true},
        {"tcp port 8443 and not host 198.18.1.7", false},
        {"src net 198.18.0.0/15 and dst portrange 8000-9000", true},
        {"src host 198.18.0.10", false},
        {"tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn", true},
        {"ether host 02:00:00:00:00:99", true},
        {"ether src 02:00:00:00:00:10", false},
        {"ip6 host 2001:db8::1 or tcp[13] = 0x02", true},
        {"vlan 5", false},
        {"less 54", true},
        {"greater 1000", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bpf_insn *filter;
        char error[256] = "";

        if (!capture_filter_compile(cases[i].filter, 65535, &filter, error, sizeof(error)))
            fail_msg("%s: %s", cases[i].filter, error);
        assert_non_null(filter);
        if ((bpf_filter(filter, syn, sizeof(syn), sizeof(syn)) != 0) != cases[i].passes)
            fail_msg("%s", cases[i].filter);
        capture_filter_free(filter);
    }
}

static void no_filter_is_every_frame(void **state)
{
    struct bpf_insn *filter = (struct bpf_insn *)(uintptr_t)1;
    char error[256];

    assert_true(capture_filter_compile("", 65535, &filter, error, sizeof(error)));
    assert_null(filter);
    assert_true(capture_filter_compile(" \t", 65535, &filter, error, sizeof(error)));
    assert_null(filter);
    capture_filter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_with_a_reason),
        cmocka_unit_test(a_filter_chooses),
        cmocka_unit_test(no_filter_is_every_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
