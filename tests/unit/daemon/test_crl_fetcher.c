/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Over a real HTTP server (libmicrohttpd on the loopback), and one that says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "daemon/crl_cache.h"
#include "daemon/crl_fetcher.h"
#include "forge.h"
#include "scratch.h"
#include "x509/pem.h"

static struct MHD_Daemon *server;
static unsigned server_port, silent_port;
static int silent = -1;
static struct slice list, base64;
static char host_seen[64];

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, struct slice body,
                             const char *location)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (location != NULL)
        MHD_add_response_header(response, "Location", location);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **state)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");

    snprintf(host_seen, sizeof(host_seen), "%s", host != NULL ? host : "");
    if (strcmp(url, "/list.crl") == 0)
        return reply(connection, 200, list, NULL);
    if (strcmp(url, "/list.pem") == 0)
        return reply(connection, 200, base64, NULL);
    if (strcmp(url, "/two.pem") == 0)
        return reply(connection, 200, forge_join(base64, base64), NULL);
    if (strcmp(url, "/cut.crl") == 0)
        return reply(connection, 200, slice_head(list, list.len - 1), NULL);
    if (strcmp(url, "/page") == 0)
        return reply(connection, 200, slice_text("<html>login</html>"), NULL);
    if (strcmp(url, "/empty") == 0)
        return reply(connection, 200, slice_of("", 0), NULL);
    if (strcmp(url, "/away") == 0)
        return reply(connection, 302, slice_of("", 0), "http://elsewhere.lab/x.crl");
    if (strcmp(url, "/file") == 0)
        return reply(connection, 302, slice_of("", 0), "file:///etc/passwd");
    return reply(connection, 404, slice_of("", 0), NULL);
}

static int begin(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    static char pem[4096];
    size_t size;

    if (scratch_begin(state) != 0)
        return -1;
    list = forge_crl(&(struct forge_crl){.issuer = "A", .signer = forge_key(FORGE_P256, 1)});
    /* the block's label is a certificate's */
    size = x509_pem_write(list, pem, sizeof(pem));
    for (char *at; (at = strstr(pem, "CERTIFICATE")) != NULL;) {
        memcpy(at, "X509 CRL", 8);
        memmove(at + 8, at + 11, strlen(at + 11) + 1);
        size -= 3;
    }
    base64 = slice_of(pem, size - 1);
    server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
                              &address, MHD_OPTION_END);
    assert_non_null(server);
    server_port = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port;
    silent = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(silent, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(silent, 16), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&address, &length), 0);
    silent_port = ntohs(address.sin_port);
    return 0;
}

static int end(void **state)
{
    MHD_stop_daemon(server);
    close(silent);
    return scratch_end(state);
}

static struct crl_request request_of(uint64_t id, unsigned port, const char *path)
{
    struct crl_request request = {.id = id, .bytes_max = 4096, .timeout_ms = 5000};
    char text[200];

    snprintf(text, sizeof(text), "http://crl.steven.lab:%u%s", port, path);
    assert_int_equal(crl_url_parse(slice_text(text), &request.url), ASSAY_OK);
    assert_int_equal(address_parse(slice_text("127.0.0.1"), &request.address), ASSAY_OK);
    return request;
}

static struct crl_answer wait_for(struct crl_fetcher *fetcher)
{
    struct crl_answer answer;

    for (int i = 0; i < 2000; i++) {
        if (crl_fetcher_next(fetcher, &answer))
            return answer;
        poll(NULL, 0, 10);
    }
    fail_msg("no answer within 20 s");
    return answer;
}

static void refuses(void **state)
{
    static const struct {
        const char *path, *error;
    } cases[] = {
        {"/nothing", "the server answered 404"},        {"/page", "what came is no CRL (DER or PEM)"},
        {"/empty", "what came is no CRL (DER or PEM)"}, {"/cut.crl", "what came is no usable CRL: not a DER CRL"},
        {"/two.pem", "more than one CRL came"},
    };
    struct crl_fetcher *fetcher = crl_fetcher_create();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct crl_request request = request_of(i + 1, server_port, cases[i].path);
        struct crl_answer answer;

        assert_true(crl_fetcher_ask(fetcher, &request));
        answer = wait_for(fetcher);
        assert_int_equal(answer.id, i + 1);
        assert_null(answer.record);
        assert_false(answer.redirected);
        assert_string_equal(answer.error, cases[i].error);
    }
    crl_fetcher_free(fetcher);
    crl_fetcher_free(NULL);
}

static void keeps_its_limits(void **state)
{
    struct crl_fetcher *fetcher = crl_fetcher_create();
    struct crl_request request = request_of(1, server_port, "/list.crl");
    struct crl_answer answer;
    char error[64];

    (void)state;
    request.bytes_max = list.len - 1;
    assert_true(crl_fetcher_ask(fetcher, &request));
    answer = wait_for(fetcher);
    snprintf(error, sizeof(error), "larger than %zu bytes", list.len - 1);
    assert_string_equal(answer.error, error);
    assert_null(answer.record);
    request = request_of(2, silent_port, "/");
    request.timeout_ms = 100;
    for (int i = 0; i < CRL_FETCHES_MAX; i++)
        assert_true(crl_fetcher_ask(fetcher, &request));
    assert_false(crl_fetcher_ask(fetcher, &request));
    for (int i = 0; i < CRL_FETCHES_MAX; i++) {
        answer = wait_for(fetcher);
        assert_null(answer.record);
        assert_non_null(strstr(answer.error, "timed out"));
    }
    /* nobody there */
    request = request_of(3, 1, "/");
    assert_true(crl_fetcher_ask(fetcher, &request));
    answer = wait_for(fetcher);
    assert_null(answer.record);
    assert_string_not_equal(answer.error, "");
    crl_fetcher_free(fetcher);
}

static void fetches(void **state)
{
    static const char *const paths[] = {"/list.crl", "/list.pem"};
    struct crl_fetcher *fetcher = crl_fetcher_create();
    char host[64];

    (void)state;
    snprintf(host, sizeof(host), "crl.steven.lab:%u", server_port);
    for (size_t i = 0; i < 2; i++) {
        struct crl_request request = request_of(i, server_port, paths[i]);
        struct crl_answer answer;

        request.bytes_max = i == 0 ? list.len : base64.len;
        assert_true(crl_fetcher_ask(fetcher, &request));
        answer = wait_for(fetcher);
        assert_string_equal(answer.error, "");
        assert_true(slice_equal(answer.record->crl.der, list));
        assert_string_equal(host_seen, host);
        x509_crl_record_unref(answer.record);
    }
    crl_fetcher_free(fetcher);
}

/* Told, never followed: to another host control would have to agree first, and to a file nobody does. */
static void reports_redirections(void **state)
{
    struct crl_fetcher *fetcher = crl_fetcher_create();
    struct crl_request request = request_of(1, server_port, "/away");
    struct crl_answer answer;

    (void)state;
    assert_true(crl_fetcher_ask(fetcher, &request));
    answer = wait_for(fetcher);
    assert_true(answer.redirected);
    assert_string_equal(answer.redirect, "http://elsewhere.lab/x.crl");
    request = request_of(1, server_port, "/file");
    assert_true(crl_fetcher_ask(fetcher, &request));
    answer = wait_for(fetcher);
    assert_null(answer.record);
    if (answer.redirected)
        assert_int_equal(crl_url_parse(slice_text(answer.redirect), &request.url), ASSAY_ERR_UNSUPPORTED);
    crl_fetcher_free(fetcher);
}

static void stores(void **state)
{
    struct crl_fetcher *fetcher = crl_fetcher_create();
    struct x509_crl_record *record;
    char error[CRL_FETCH_TEXT_MAX] = "";
    struct crl_answer answer;
    struct text body = {0};

    (void)state;
    record = crl_fetcher_read(list, error);
    assert_non_null(record);
    crl_fetcher_store(fetcher, 7, record, scratch_path("cache"), "http://a/", 4096);
    answer = wait_for(fetcher);
    assert_true(answer.stored);
    assert_int_equal(answer.id, 7);
    assert_string_equal(answer.error, "");
    assert_int_equal(crl_cache_read(scratch_path("cache"), "http://a/", &body), ASSAY_OK);
    assert_true(slice_equal(text_slice(&body), list));
    crl_fetcher_store(fetcher, 8, record, scratch_path("no/where"), "http://a/", 4096);
    answer = wait_for(fetcher);
    assert_string_not_equal(answer.error, "");
    /* what was asked for is written before the thread ends; what was fetched and not taken is freed */
    crl_fetcher_store(fetcher, 9, record, scratch_path("cache"), "http://b/", 4096);
    crl_fetcher_free(fetcher);
    assert_int_equal(scratch_count("cache"), 2);
    x509_crl_record_unref(record);
    text_free(&body);
}

static void ends_with_fetches_under_way(void **state)
{
    struct crl_fetcher *fetcher = crl_fetcher_create();
    struct crl_request request = request_of(1, silent_port, "/"), good = request_of(2, server_port, "/list.crl");

    (void)state;
    assert_true(crl_fetcher_ask(fetcher, &request));
    assert_true(crl_fetcher_ask(fetcher, &good));
    poll(NULL, 0, 200);
    crl_fetcher_free(fetcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses), cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(fetches), cmocka_unit_test(reports_redirections),
        cmocka_unit_test(stores),  cmocka_unit_test(ends_with_fetches_under_way),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
