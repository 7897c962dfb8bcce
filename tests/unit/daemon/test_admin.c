/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The admin API on its socket, with assayctl's own commands as the client: the loop of control runs in a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "ctl/command.h"
#include "daemon/admin.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

static struct world {
    struct running running;
    struct admin *admin;
    pthread_t thread;
    _Atomic bool stop;
    uint16_t ready_port; /* of 127.0.0.1 */
    char out[65536], err[65536];
} world;

static void *loop(void *arg)
{
    while (!atomic_load(&world.stop)) {
        struct pollfd fds[ADMIN_FDS_MAX];
        size_t count = admin_fds(world.admin, fds);

        poll(fds, count, 20);
        admin_run(world.admin);
    }
    return NULL;
}

static int tcp_socket(const char *address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

static uint16_t free_port(void)
{
    int fd = tcp_socket("127.0.0.1", 0);
    struct sockaddr_in in;
    socklen_t len = sizeof(in);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    close(fd);
    return ntohs(in.sin_port);
}

static int begin(void **state)
{
    struct problems problems = {0};

    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    running_start(&world.running, FORGE_NOW);
    world.ready_port = free_port();
    world.running.control.config->root.admin.readiness = (struct config_endpoint){
        .address = address_from_ip4_be(htonl(INADDR_LOOPBACK)), .port = world.ready_port, .set = true};
    world.admin = admin_create(&world.running.control, &problems);
    assert_non_null(world.admin);
    return pthread_create(&world.thread, NULL, loop, NULL);
}

static int end(void **state)
{
    atomic_store(&world.stop, true);
    pthread_join(world.thread, NULL);
    admin_free(world.admin);
    admin_free(NULL);
    assert_false(scratch_exists("admin.sock"));
    running_stop(&world.running);
    return scratch_end(state);
}

/* Runs a command of assayctl; what it wrote is in world.out and world.err. */
static int ctl(int (*command)(int, char **, FILE *, FILE *), const char *const *words)
{
    static char name[] = "command", option[] = "--socket";
    FILE *out = fmemopen(world.out, sizeof(world.out), "w"), *err = fmemopen(world.err, sizeof(world.err), "w");
    char *argv[16] = {name, option, (char *)(uintptr_t)scratch_path("admin.sock")};
    int argc = 3, code;

    memset(world.out, 0, sizeof(world.out));
    memset(world.err, 0, sizeof(world.err));
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    code = command(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return code;
}

#define CTL(command, ...) ctl(command, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void expect(const char *part)
{
    if (strstr(world.out, part) == NULL && strstr(world.err, part) == NULL)
        fail_msg("'%s' is not in\n%s%s", part, world.out, world.err);
}

static void test_permissions_of_the_socket(void **state)
{
    struct stat status;

    assert_int_equal(stat(scratch_path("admin.sock"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_true(S_ISSOCK(status.st_mode));
}

/* A second daemon on the same socket is refused, and does not take it away. */
static void test_a_second_daemon(void **state)
{
    struct problems problems = {0};

    assert_null(admin_create(&world.running.control, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0], "another assayd answers on this socket"));
    problems_free(&problems);
    assert_int_equal(CTL(ctl_status), CTL_OK);
}

static void test_status_and_reload(void **state)
{
    assert_int_equal(CTL(ctl_status), CTL_OK);
    expect("verification           enforced, properties all");
    expect("ALARM: cucm.steven.lab has no address");
    assert_int_equal(CTL(ctl_status, "--json"), CTL_OK);
    expect("\"generation\": 1");
    assert_int_equal(CTL(ctl_reload), CTL_OK);
    expect("nothing changed, generation 1");
    scratch_write("good.yaml", "listner: 1\n");
    assert_int_equal(CTL(ctl_reload), CTL_REFUSED);
    expect("good.yaml:1: listner: unknown key");
    expect("refused: nothing was changed");
    scratch_write("good.yaml", scratch_good_yaml);
    assert_int_equal(CTL(ctl_reload), CTL_OK);
}

static void test_trust(void **state)
{
    const struct slice root = scratch_ca("root.lab", 1);
    struct trust *trust;
    struct problems problems = {0};
    char fingerprint[65];

    SCRATCH_PEM("new.pem", root);
    scratch_write("junk.pem", "junk");
    assert_int_equal(CTL(ctl_trust, "add", scratch_path("nowhere.pem")), CTL_USAGE);
    assert_int_equal(CTL(ctl_trust, "add", scratch_path("junk.pem")), CTL_REFUSED);
    expect("holds no certificate");
    assert_int_equal(CTL(ctl_trust, "add", scratch_path("new.pem"), "--role", "root"), CTL_USAGE);
    assert_int_equal(CTL(ctl_trust, "add", scratch_path("new.pem")), CTL_OK);
    expect("as anchor (proposed by the certificate; --role chooses another)");
    expect("all cores after");
    assert_int_equal(CTL(ctl_trust, "add", scratch_path("new.pem")), CTL_OK);
    expect("skipped, already there");
    expect("nothing changed");
    assert_int_equal(CTL(ctl_trust, "list"), CTL_OK);
    expect("root.lab");
    expect("1 certificates");

    trust = trust_read(root, "x", -1, &problems);
    trust_fingerprint(trust->entries[0].certificate.sha256, fingerprint);
    trust_free(trust);
    assert_int_equal(CTL(ctl_trust, "show", fingerprint), CTL_OK);
    expect("-----BEGIN CERTIFICATE-----");
    assert_int_equal(CTL(ctl_trust, "show", "00000000"), CTL_REFUSED);
    assert_int_equal(CTL(ctl_trust, "show", "/v1/status"), CTL_USAGE);
    assert_int_equal(CTL(ctl_trust, "remove", fingerprint, "--json"), CTL_OK);
    expect(fingerprint);
    assert_int_equal(CTL(ctl_trust, "remove", fingerprint), CTL_REFUSED);
}

static void test_switches(void **state)
{
    assert_int_equal(CTL(ctl_set, "verify", "off", "--for", "4h"), CTL_OK);
    expect("verification permissive for 14400 s: generation");
    assert_true(world.running.control.verify.global.set);
    assert_int_equal(CTL(ctl_xconfiguration, "EdgeConfigServer", "VerifyOriginServer:", "On"), CTL_OK);
    expect("verification enforced: generation");
    assert_int_equal(CTL(ctl_xconfiguration, "edgeconfigserver", "verifyoriginserver:", "off"), CTL_OK);
    expect("verification permissive: generation");
    assert_int_equal(CTL(ctl_set, "verify", "on"), CTL_OK);
}

static void test_views(void **state)
{
    assert_int_equal(CTL(ctl_verdicts), CTL_OK);
    expect("cucm1.steven.lab");
    assert_int_equal(CTL(ctl_verdicts, "--max", "1"), CTL_OK);
    expect("(there are more: --max)");
    assert_int_equal(CTL(ctl_origins), CTL_OK);
    expect("caf?");
    assert_int_equal(CTL(ctl_connections, "--json"), CTL_OK);
    expect("\"state\": \"ESTABLISHED\"");
    assert_int_equal(CTL(ctl_names), CTL_OK);
    expect("not resolved yet");
    world.running.cores[0].proxy.requests = 17;
    assert_int_equal(CTL(ctl_stats), CTL_OK);
    expect("requests                                     17             17              0  requests received whole "
           "(head)");
    assert_int_equal(CTL(ctl_stats, "--json"), CTL_OK);
    expect("\"requests\": 17");
}

/* A large upload comes in pieces, a huge one is refused. */
static void test_uploads(void **state)
{
    char *text = malloc((17 << 20) + 1);

    memset(text, ' ', 17 << 20);
    text[17 << 20] = '\0';
    scratch_write_slice("large.pem", slice_of(text, 1 << 20));
    assert_int_equal(CTL(ctl_trust, "add", scratch_path("large.pem")), CTL_REFUSED);
    expect("holds no certificate");
    scratch_write_slice("huge.pem", slice_of(text, 17 << 20));
    assert_int_not_equal(CTL(ctl_trust, "add", scratch_path("huge.pem")), CTL_OK);
    free(text);
    assert_int_equal(CTL(ctl_status), CTL_OK);
}

/* --- what takes longer ------------------------------------------------------------------------------------------------------------ */

#define CHAINS 600

/* The API goes by the machine's clock. */
static int64_t in_days(int days)
{
    return (int64_t)time(NULL) + days * 86400;
}

/* The registry is control's, which does not run its loop now. */
static void see_many(void)
{
    struct slice chain = forge_certificate(&(struct forge){.subject = "node.steven.lab",
                                                           .not_before = in_days(-1),
                                                           .not_after = in_days(1),
                                                           .issuer = "slow.lab",
                                                           .key = forge_key(FORGE_P256, 1),
                                                           .signer = forge_key(FORGE_P256, 3),
                                                           .extensions = {forge_san(forge_dns("*.steven.lab"))}});
    char host[32];

    for (int i = 0; i < CHAINS; i++) {
        snprintf(host, sizeof(host), "node%d.steven.lab", i);
        assert_non_null(sighting_take(world.running.control.registry,
                                      &(struct sighting){host, 8443, &chain, 1, .at_s = (uint64_t)time(NULL)}));
    }
}

/* Sends a request and returns its connection. */
static int ask(const char *text, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("admin.sock"));
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
    return fd;
}

static int ask_what_if(void)
{
    const struct slice root = forge_certificate(&(struct forge){.subject = "slow.lab",
                                                                .not_before = in_days(-1),
                                                                .not_after = in_days(1),
                                                                .key = forge_key(FORGE_P256, 3),
                                                                .extensions = {forge_ca(-1), forge_usage(1 << 5)}});
    char text[4096];
    int head = snprintf(text, sizeof(text),
                        "POST /v1/trust?dry_run=1&role=anchor HTTP/1.1\r\nHost: assayd\r\nConnection: close\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        root.len);

    memcpy(text + head, root.data, root.len);
    return ask(text, (size_t)head + root.len);
}

/* Turns of the loop by hand until there is an answer; how many. */
static size_t turns_until(int fd, char *answer, size_t size)
{
    size_t turns = 0, used = 0;
    ssize_t n;

    for (;;) {
        admin_run(world.admin);
        turns++;
        n = recv(fd, answer + used, size - 1 - used, MSG_DONTWAIT);
        if (n > 0)
            used += (size_t)n;
        if (n == 0)
            break;
        assert_true(turns < 100000);
    }
    answer[used] = '\0';
    close(fd);
    return turns;
}

static void pause_loop(void)
{
    atomic_store(&world.stop, true);
    pthread_join(world.thread, NULL);
    atomic_store(&world.stop, false);
}

static void resume_loop(void)
{
    assert_int_equal(pthread_create(&world.thread, NULL, loop, NULL), 0);
}

/* Until it has taken up what it cannot answer at once. */
static void run_until_working(void)
{
    for (size_t turns = 0; !admin_is_working(world.admin); turns++) {
        admin_run(world.admin);
        assert_true(turns < 10000);
    }
}

/* Others are answered between its pieces, a second one after it; both get all of it. */
static void test_a_dry_run_keeps_nobody_waiting(void **state)
{
    static const char status[] = "GET /v1/status HTTP/1.1\r\nHost: assayd\r\nConnection: close\r\n\r\n";
    static char answers[3][1 << 20];
    int first, second, other;

    pause_loop();
    see_many();
    first = ask_what_if();
    second = ask_what_if();
    run_until_working();
    other = ask(status, sizeof(status) - 1);
    assert_true(turns_until(other, answers[0], sizeof(answers[0])) < 20);
    assert_non_null(strstr(answers[0], "\"generation\""));
    assert_true(admin_is_working(world.admin));
    turns_until(first, answers[1], sizeof(answers[1]));
    turns_until(second, answers[2], sizeof(answers[2]));
    assert_false(admin_is_working(world.admin));
    for (int i = 1; i < 3; i++) {
        assert_non_null(strstr(answers[i], "200 OK"));
        assert_non_null(strstr(answers[i], "\"considered\": 600"));
        assert_non_null(strstr(answers[i], "\"unchanged\": 0"));
    }
    resume_loop();
}

/* What is published in the middle of it is what it starts from. */
static void test_a_change_begins_a_dry_run_again(void **state)
{
    static char answer[1 << 20];
    const struct verify_target all = {0};
    struct change change;
    int fd;

    pause_loop();
    fd = ask_what_if();
    run_until_working();
    assert_true(control_set_verify(&world.running.control, &all, VERIFY_PERMISSIVE, 0, &change));
    change_free(&change);
    turns_until(fd, answer, sizeof(answer));
    assert_non_null(strstr(answer, "\"considered\": 600"));
    assert_non_null(strstr(answer, "let pass"));
    assert_null(strstr(answer, "refused"));
    assert_true(control_set_verify(&world.running.control, &all, VERIFY_ENFORCED, 0, &change));
    change_free(&change);
    resume_loop();
}

/* Who asked is gone, or assayd ends: nothing is left behind. */
static void test_a_dry_run_nobody_waits_for(void **state)
{
    struct problems problems = {0};
    int fd;

    pause_loop();
    fd = ask_what_if();
    run_until_working();
    close(fd);
    while (admin_is_working(world.admin))
        admin_run(world.admin);
    fd = ask_what_if();
    run_until_working();
    admin_free(world.admin);
    close(fd);
    world.admin = admin_create(&world.running.control, &problems);
    assert_non_null(world.admin);
    resume_loop();
    assert_int_equal(CTL(ctl_status), CTL_OK);
}

/* Whoever sends nonsense, or nothing, does not stop the loop. */
static void test_rude_clients(void **state)
{
    static const char *const sent[] = {"",
                                       "\r\n\r\n",
                                       "GET",
                                       "GET / HTTP/1.1\r\n",
                                       "\x16\x03\x01\x02",
                                       "POST /v1/trust HTTP/1.1\r\nContent-Length: 99\r\n\r\nabc"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fds[sizeof(sent) / sizeof(sent[0])];

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("admin.sock"));
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(fds[i], (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(send(fds[i], sent[i], strlen(sent[i]), MSG_NOSIGNAL), strlen(sent[i]));
    }
    assert_int_equal(CTL(ctl_status), CTL_OK);
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
        close(fds[i]);
    assert_int_equal(CTL(ctl_status), CTL_OK);
}

/* A file that has the socket's name stays: whoever wrote the configuration did not mean to lose it. */
static void test_no_file_is_replaced(void **state)
{
    struct config *config = world.running.control.config;
    const char *socket_path = config->root.admin.socket;
    struct problems problems = {0};

    scratch_write("precious", "do not lose");
    config->root.admin.socket = scratch_path("precious");
    assert_null(admin_create(&world.running.control, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0], "precious: is there and is no socket"));
    assert_true(scratch_exists("precious"));
    problems_free(&problems);
    config->root.admin.socket = socket_path;
}

/* A connection to the readiness listener, from that address. */
static int ready_connect(const char *from)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(world.ready_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = tcp_socket(from, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Asks and reads to the end, at most 5 s. */
static void ready_ask(const char *from, const char *request, char answer[2048])
{
    const struct timeval timeout = {5, 0};
    int fd = ready_connect(from);
    size_t used = 0;
    ssize_t n;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    (void)send(fd, request, strlen(request), MSG_NOSIGNAL);
    while (used < 2047 && (n = recv(fd, answer + used, 2047 - used, 0)) > 0)
        used += (size_t)n;
    answer[used] = '\0';
    close(fd);
}

/* What load balancers ask, by GET and by HEAD; and one that holds connections does not keep the others out. */
static void test_readiness(void **state)
{
    static const char get[] = "GET /v1/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    static const char head[] = "HEAD /v1/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    static const char post[] = "POST /v1/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    char answer[2048];
    int held[80];

    ready_ask("127.0.0.1", get, answer);
    assert_ptr_equal(strstr(answer, "HTTP/1.1 200 "), answer);
    assert_non_null(strstr(answer, "\r\n\r\n{"));
    ready_ask("127.0.0.1", head, answer);
    assert_ptr_equal(strstr(answer, "HTTP/1.1 200 "), answer);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n"); /* no body */
    ready_ask("127.0.0.1", post, answer);
    assert_ptr_equal(strstr(answer, "HTTP/1.1 405 "), answer);
    assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        held[i] = ready_connect("127.0.0.3");
    ready_ask("127.0.0.2", get, answer);
    assert_ptr_equal(strstr(answer, "HTTP/1.1 200 "), answer);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        close(held[i]);
}

static void test_draining(void **state)
{
    admin_set_draining(world.admin);
    assert_true(admin_draining(world.admin));
    assert_int_equal(CTL(ctl_status), CTL_REFUSED); /* not ready */
    expect("ready                  no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permissions_of_the_socket),
        cmocka_unit_test(test_a_second_daemon),
        cmocka_unit_test(test_status_and_reload),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_uploads),
        cmocka_unit_test(test_rude_clients),
        cmocka_unit_test(test_no_file_is_replaced),
        cmocka_unit_test(test_readiness),
        cmocka_unit_test(test_a_dry_run_keeps_nobody_waiting),
        cmocka_unit_test(test_a_change_begins_a_dry_run_again),
        cmocka_unit_test(test_a_dry_run_nobody_waits_for),
        cmocka_unit_test(test_draining),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
