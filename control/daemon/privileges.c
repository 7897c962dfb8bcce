/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sockets and XDP, hugepages and NIC registers, and becoming another user. */
static const unsigned starting[] = {CAP_NET_RAW,      CAP_NET_ADMIN, CAP_BPF,          CAP_PERFMON,
                                    CAP_SYS_ADMIN,    CAP_IPC_LOCK,  CAP_SYS_RAWIO,    CAP_SYS_NICE,
                                    CAP_SYS_RESOURCE, CAP_SETUID,    CAP_SETGID,       CAP_SETPCAP,
                                    CAP_CHOWN,        CAP_FOWNER,    CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH};
/* net_af_xdp detaches its program when it is closed. */
static const unsigned af_xdp[] = {CAP_NET_ADMIN, CAP_BPF};

/* Never more than there is: a capability that is not held cannot be asked for. */
static enum assay_error keep(const unsigned *capabilities, size_t count, capng_select_t what)
{
    bool held[64] = {false};

    capng_get_caps_process();
    for (size_t i = 0; i < count; i++)
        held[capabilities[i]] = capng_have_capability(CAPNG_PERMITTED, capabilities[i]) > 0;
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < count; i++)
        if (held[capabilities[i]])
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, capabilities[i]);
    return capng_apply(what) == 0 ? ASSAY_OK : ASSAY_ERR_PERMISSION;
}

enum assay_error privileges_limit(struct problems *problems)
{
    capng_get_caps_process();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        keep(starting, sizeof(starting) / sizeof(starting[0]), CAPNG_SELECT_CAPS) != ASSAY_OK) {
        problems_add(problems, "machine", 0, "capabilities cannot be limited: %s", strerror(errno));
        return ASSAY_ERR_PERMISSION;
    }
    return ASSAY_OK;
}

/* Never through a link: whoever owns the directory of a log may have laid one to a file that is not theirs. */
static bool give_file(const char *path, const struct passwd *user, const char **why)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    bool good = false;

    if (fd < 0 || fstat(fd, &status) != 0)
        *why = strerror(errno);
    else if (S_ISLNK(status.st_mode))
        *why = "it is a symbolic link";
    else if (S_ISREG(status.st_mode) && status.st_nlink > 1)
        *why = "it has a second name (a hard link)";
    else if (status.st_uid == user->pw_uid || fchownat(fd, "", user->pw_uid, user->pw_gid, AT_EMPTY_PATH) == 0)
        good = true;
    else
        *why = strerror(errno);
    if (fd >= 0)
        close(fd);
    return good;
}

static void give(const char *path, const struct passwd *user, struct problems *problems)
{
    const char *why = "";

    if (path != NULL && access(path, F_OK) == 0 && !give_file(path, user, &why))
        problems_warn(problems, path, 0, "cannot be given to %s: %s", user->pw_name, why);
}

/* After the user changed: may it still do what trust add and remove need? */
static void warn_of_trust(const char *directory, const char *user, struct problems *problems)
{
    if (directory != NULL && access(directory, W_OK) != 0)
        problems_warn(problems, directory, 0, "%s may not write here: trust add and remove will fail (chown -R %s %s)",
                      user, user, directory);
}

enum assay_error privileges_drop_user(const struct config *config, const char *state_directory,
                                      struct problems *problems)
{
    const char *name = config->root.user;
    struct passwd *user;

    if (name == NULL)
        return ASSAY_OK;
    user = getpwnam(name);
    if (user == NULL) {
        problems_add(problems, config->file, config_line(config, &config->root.user), "user: there is no user %s",
                     name);
        return ASSAY_ERR_NOT_FOUND;
    }
    give(state_directory, user, problems);
    give(config->root.log.file, user, problems);
    give(config->root.capture.directory, user, problems);
    /* a driver that must be able to close its port keeps what it needs, on this thread */
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || initgroups(name, user->pw_gid) != 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0) {
        problems_add(problems, config->file, config_line(config, &config->root.user), "user: cannot become %s: %s",
                     name, strerror(errno));
        return ASSAY_ERR_PERMISSION;
    }
    warn_of_trust(config->root.trust.directory, name, problems);
    for (uint32_t i = 0; i < config->root.deployments.count; i++)
        warn_of_trust(config->root.deployments.items[i].trust.directory, name, problems);
    return ASSAY_OK;
}

enum assay_error privileges_drop_thread(const struct config *config)
{
    bool xdp = strncmp(config->root.port.device, "net_af_xdp", 10) == 0;

    return keep(af_xdp, xdp ? sizeof(af_xdp) / sizeof(af_xdp[0]) : 0, CAPNG_SELECT_CAPS);
}

void privileges_describe(struct text *out)
{
    char *names;

    capng_get_caps_process();
    if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE) {
        text_add_text(out, "none");
        return;
    }
    names = capng_print_caps_text(CAPNG_PRINT_BUFFER, CAPNG_EFFECTIVE);
    text_add_text(out, names != NULL ? names : "?");
    free(names);
}
