/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void state_path(const char *directory, const char *config_file, const char *suffix, struct text *out)
{
    const char *slash = strrchr(config_file, '/');

    text_printf(out, "%s/%s%s", directory, slash != NULL ? slash + 1 : config_file, suffix);
}

/* "# of /etc/assay/assay.yaml\n" */
static void owner_line(const char *config_file, struct text *out)
{
    char *absolute = realpath(config_file, NULL);

    text_printf(out, "# of %s\n", absolute != NULL ? absolute : config_file);
    free(absolute);
}

static void save(const char *directory, const char *config_file, const char *suffix, struct slice body,
                 struct problems *problems)
{
    struct text path = {0}, content = {0};
    enum assay_error error;

    state_path(directory, config_file, suffix, &path);
    owner_line(config_file, &content);
    text_add(&content, body.data, body.len);
    if (mkdir(directory, 0750) != 0 && errno != EEXIST)
        problems_warn(problems, directory, 0, "cannot be created: %s", strerror(errno));
    else if ((error = file_write_atomic(path.data, text_slice(&content), 0640)) != ASSAY_OK)
        problems_warn(problems, path.data, 0, "cannot be written, will not survive a restart: %s",
                      assay_error_text(error));
    text_free(&path);
    text_free(&content);
}

/* The body behind an owner line that is ours. */
static bool load(const char *directory, const char *config_file, const char *suffix, struct text *out)
{
    struct text path = {0}, owner = {0}, content = {0};
    bool good;

    if (directory == NULL)
        return false;
    state_path(directory, config_file, suffix, &path);
    owner_line(config_file, &owner);
    good = text_read_file(&content, path.data, CONFIG_FILE_MAX + 4096) == ASSAY_OK &&
           slice_equal(slice_head(text_slice(&content), owner.len), text_slice(&owner));
    if (good)
        text_add(out, content.data + owner.len, content.len - owner.len);
    text_free(&path);
    text_free(&owner);
    text_free(&content);
    return good;
}

void state_save_config(const char *directory, const char *config_file, const struct config *config,
                       struct problems *problems)
{
    struct text old = {0};
    struct slice body = slice_of(config->text, config->text_length);

    if (directory == NULL)
        return;
    /* most reloads change certificates or lists, not the file */
    if (!load(directory, config_file, ".good", &old) || !slice_equal(text_slice(&old), body))
        save(directory, config_file, ".good", body, problems);
    text_free(&old);
}

bool state_read_good(const char *directory, const char *config_file, struct text *out)
{
    return load(directory, config_file, ".good", out);
}

void state_save_verify(const char *directory, const char *config_file, const struct verify_switch *verify,
                       struct problems *problems)
{
    struct text path = {0}, body = {0};

    if (directory == NULL)
        return;
    if (!verify->set) {
        state_path(directory, config_file, ".verify", &path);
        if (access(path.data, F_OK) == 0 && file_remove(path.data) != ASSAY_OK)
            problems_warn(problems, path.data, 0, "cannot be removed: the switch will come back at a restart");
        text_free(&path);
        return;
    }
    text_printf(&body, "mode %d until %" PRIu64 "\n", (int)verify->mode, verify->until_s);
    save(directory, config_file, ".verify", text_slice(&body), problems);
    text_free(&body);
}

void state_load_verify(const char *directory, const char *config_file, uint64_t now_s, struct verify_switch *verify)
{
    struct text body = {0};
    uint64_t until_s;
    int mode;

    *verify = (struct verify_switch){0};
    if (load(directory, config_file, ".verify", &body) &&
        sscanf(text_get(&body), "mode %d until %" SCNu64, &mode, &until_s) == 2 && mode >= VERIFY_ENFORCED &&
        mode <= VERIFY_DISABLED && (until_s == 0 || until_s > now_s))
        *verify = (struct verify_switch){true, (enum verify_mode)mode, until_s};
    text_free(&body);
}
