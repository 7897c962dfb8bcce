/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In a child each, because nothing of it can be taken back. Where the test does not run as root, only what needs no
 * privileges is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/privileges.h"
#include "scratch.h"

#define CHILD_GOOD 42

static void expect_good(int (*child)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CHILD_GOOD);
}

static struct config *config_of(const char *device, const char *more)
{
    struct problems problems = {0};
    struct text text = {0};

    text_printf(&text, "port: {device: %s, address: 198.18.0.10/15}\nlisteners: [{clients: any}]\n%s", device, more);
    return config_parse(text_slice(&text), "a.yaml", &problems);
}

static bool may_open_raw_sockets(void)
{
    int fd = socket(AF_INET, SOCK_RAW, 1);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int drop_all(void)
{
    struct config *config = config_of("net_null0", "");
    struct problems problems = {0};
    struct text left = {0};

    if (privileges_limit(&problems) != ASSAY_OK || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 1;
    if (geteuid() == 0 && !may_open_raw_sockets())
        return 2; /* what starting needs is still there */
    if (privileges_drop_thread(config) != ASSAY_OK || may_open_raw_sockets())
        return 3;
    privileges_describe(&left);
    return strcmp(text_get(&left), "none") == 0 ? CHILD_GOOD : 4;
}

static int keep_for_xdp(void)
{
    struct config *config = config_of("\"net_af_xdp0,iface=a\"", "");
    struct problems problems = {0};
    struct text left = {0};

    if (privileges_limit(&problems) != ASSAY_OK || privileges_drop_thread(config) != ASSAY_OK || may_open_raw_sockets())
        return 1;
    privileges_describe(&left);
    if (geteuid() != 0)
        return CHILD_GOOD;
    return strstr(text_get(&left), "net_admin") != NULL && strstr(text_get(&left), "net_raw") == NULL ? CHILD_GOOD : 2;
}

static int become_nobody(void)
{
    struct config *config = config_of("net_null0", "user: nobody\n");
    struct problems problems = {0};

    if (geteuid() != 0)
        return privileges_drop_user(config, NULL, &problems) == ASSAY_ERR_PERMISSION ? CHILD_GOOD : 1;
    if (privileges_limit(&problems) != ASSAY_OK || privileges_drop_user(config, NULL, &problems) != ASSAY_OK)
        return 2;
    if (privileges_drop_thread(config) != ASSAY_OK)
        return 3;
    /* root cannot be had back */
    return geteuid() != 0 && getuid() != 0 && setresuid(0, 0, 0) != 0 ? CHILD_GOOD : 4;
}

/* Becomes nobody, in a child of its own; is the log not given, for that reason? */
static bool keeps_log(const char *log, const char *why)
{
    struct text more = {0};
    struct problems problems = {0};
    struct config *config;
    int status;

    text_printf(&more, "user: nobody\nlog: {file: %s}\ncapture: {directory: %s}\n", scratch_path(log),
                scratch_path("captures"));
    config = config_of("net_null0", text_get(&more));
    if (fork() == 0) {
        bool said = false;

        if (privileges_drop_user(config, scratch_path("state"), &problems) != ASSAY_OK)
            _exit(1);
        for (size_t i = 0; i < problems.warnings_kept; i++)
            said |= strstr(problems.warnings[i], log) != NULL && strstr(problems.warnings[i], why) != NULL;
        _exit(said ? CHILD_GOOD : 2);
    }
    return wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_GOOD;
}

static bool is_of_root(const char *name)
{
    struct stat status;

    return stat(scratch_path(name), &status) == 0 && status.st_uid == 0;
}

/* What the configuration names is given to the user; what a link there leads to is not. */
static int gives_no_links(void)
{
    struct problems problems = {0};

    if (geteuid() != 0)
        return CHILD_GOOD;
    scratch_make("state");
    scratch_make("captures");
    scratch_write("secret", "of root");
    scratch_write("other", "of root as well");
    if (symlink(scratch_path("secret"), scratch_path("a.log")) != 0 ||
        link(scratch_path("other"), scratch_path("b.log")) != 0)
        return 1;
    if (privileges_limit(&problems) != ASSAY_OK)
        return 2;
    if (!keeps_log("a.log", "symbolic link") || !is_of_root("secret"))
        return 3;
    if (!keeps_log("b.log", "hard link") || !is_of_root("other"))
        return 4;
    return !is_of_root("state") && !is_of_root("captures") ? CHILD_GOOD : 5;
}

static int no_such_user(void)
{
    struct config *config = config_of("net_null0", "user: no-such-user\n");
    struct problems problems = {0};

    if (privileges_drop_user(config, NULL, &problems) != ASSAY_ERR_NOT_FOUND)
        return 1;
    return strcmp(problems.items[0], "a.yaml:3: user: there is no user no-such-user") == 0 ? CHILD_GOOD : 2;
}

static void test_no_such_user(void **state)
{
    expect_good(no_such_user);
}

static void test_drop_all(void **state)
{
    expect_good(drop_all);
}

static void test_keep_for_xdp(void **state)
{
    expect_good(keep_for_xdp);
}

static void test_become_nobody(void **state)
{
    expect_good(become_nobody);
}

static void test_gives_no_links(void **state)
{
    expect_good(gives_no_links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_such_user), cmocka_unit_test(test_drop_all),
                                       cmocka_unit_test(test_keep_for_xdp), cmocka_unit_test(test_become_nobody),
                                       cmocka_unit_test(test_gives_no_links)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
