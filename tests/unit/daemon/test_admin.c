/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The admin API on its socket, with assayctl's own commands as the client: the loop of control runs in a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/command.h"
#include "daemon/admin.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

static struct world {
    struct running running;
    struct admin *admin;
    pthread_t thread;
    _Atomic bool stop;
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

static int begin(void **state)
{
    struct problems problems = {0};

    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    running_start(&world.running, FORGE_NOW);
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
        cmocka_unit_test(test_draining),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
