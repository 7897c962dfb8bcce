/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x99};

struct given {
    struct assay_address src, dst;
    uint8_t hop_limit;
    size_t len;
    uint8_t bytes[512];
};

static struct given solicitation(void)
{
    struct ndp_message message = {.type = NDP_SOLICITATION, .has_mac = true, .target = ip6("2001:db8::10")};
    struct given g = {.src = ip6("2001:db8::77"), .dst = ip6("ff02::1:ff00:10"), .hop_limit = 255};

    memcpy(message.mac, mac, 6);
    g.len = ndp_write(g.bytes, &message);
    return g;
}

static struct given advertisement(void)
{
    struct ndp_message message = {.type = NDP_ADVERTISEMENT, .has_mac = true, .solicited = true, .override = true};
    struct given g = {.src = ip6("2001:db8::77"), .dst = ip6("2001:db8::10"), .hop_limit = 255};

    message.target = g.src;
    memcpy(message.mac, mac, 6);
    g.len = ndp_write(g.bytes, &message);
    return g;
}

static bool is_read(const struct given *g, struct ndp_message *out)
{
    uint8_t *exact = malloc(g->len + 1);
    bool good;

    memcpy(exact, g->bytes, g->len);
    good = ndp_read(slice_of(exact, g->len), &g->src, &g->dst, g->hop_limit, out);
    free(exact);
    return good;
}

static void expect_refused(const struct given *g, const char *what)
{
    struct ndp_message message;

    if (is_read(g, &message))
        fail_msg("accepted: %s", what);
}

static void refuses_what_rfc4861_discards(void **state)
{
    struct given g;

    g = solicitation(), g.hop_limit = 254, expect_refused(&g, "from behind a router");
    g = solicitation(), g.bytes[0] = 133, expect_refused(&g, "a router solicitation");
    g = solicitation(), g.bytes[1] = 1, expect_refused(&g, "a code");
    g = solicitation(), g.bytes[8] = 0xff, expect_refused(&g, "a group as target");
    g = solicitation(), memset(g.bytes + 8, 0, 16), expect_refused(&g, ":: as target");
    g = solicitation(), g.src = ip6("::"), expect_refused(&g, "from :: with a link-layer address");
    g = solicitation(), g.len = NDP_BYTES, g.src = ip6("::"), g.dst = ip6("2001:db8::10"),
    expect_refused(&g, "from :: to a host");
    g = solicitation(), g.len = NDP_BYTES, g.src = ip6("::"), g.dst = ip6("ff02::1"),
    expect_refused(&g, "from :: to all nodes");
    g = advertisement(), g.hop_limit = 0, expect_refused(&g, "advertisement from behind a router");
    g = advertisement(), g.bytes[1] = 9, expect_refused(&g, "advertisement with a code");
    g = advertisement(), g.dst = ip6("ff02::1"), expect_refused(&g, "solicited, to all nodes");
    g = advertisement(), g.src = ip6("::"), expect_refused(&g, "advertisement from ::");
    g = solicitation(), g.bytes[26] = 1, expect_refused(&g, "the MAC address of a group");
    g = solicitation(), memset(g.bytes + 26, 0, 6), expect_refused(&g, "no MAC address");
}

static void refuses_options_that_cannot_be(void **state)
{
    struct given g = solicitation();

    g.bytes[25] = 0;
    expect_refused(&g, "an option of length 0");
    g.bytes[25] = 2;
    expect_refused(&g, "an option behind the end");
    for (g = solicitation(), g.len = 0; g.len < NDP_BYTES_MAX; g.len++)
        if (g.len != NDP_BYTES)
            expect_refused(&g, "cut off");
    g = solicitation();
    g.len = NDP_BYTES_MAX + 8;
    g.bytes[25] = 2;
    expect_refused(&g, "a link-layer address of another length");
    g = solicitation();
    for (g.len = NDP_BYTES_MAX; g.len < NDP_BYTES + 8 * (NDP_OPTIONS_MAX + 1); g.len += 8)
        memcpy(g.bytes + g.len, (uint8_t[]){14, 1, 0, 0, 0, 0, 0, 0}, 8);
    expect_refused(&g, "options without end");
    g.len -= 8;
    struct ndp_message message;
    assert_true(is_read(&g, &message)); /* unknown ones are skipped */
    assert_memory_equal(message.mac, mac, 6);
}

static void reads_what_it_writes(void **state)
{
    struct given g = solicitation();
    struct ndp_message message;

    assert_true(is_read(&g, &message));
    assert_true(message.has_mac && message.type == NDP_SOLICITATION && message.target.bytes[15] == 0x10);
    assert_memory_equal(message.mac, mac, 6);
    g = solicitation(); /* duplicate address detection */
    g.len = NDP_BYTES;
    g.src = ip6("::");
    assert_true(is_read(&g, &message));
    assert_false(message.has_mac);
    g = advertisement();
    assert_true(is_read(&g, &message));
    assert_true(message.solicited && message.override && !message.router && message.has_mac);
    g.bytes[4] = 0x80;
    g.dst = ip6("ff02::1");
    assert_true(is_read(&g, &message));
    assert_true(!message.solicited && !message.override && message.router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_rfc4861_discards),
        cmocka_unit_test(refuses_options_that_cannot_be),
        cmocka_unit_test(reads_what_it_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
