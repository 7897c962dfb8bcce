/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REGISTRY_FILE_MAX (1ULL << 30)

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

/* The body behind an owner line that is ours. What is there and cannot be used is warned of; problems may be NULL. */
static bool load(const char *directory, const char *config_file, const char *suffix, size_t max_bytes, struct text *out,
                 struct problems *problems)
{
    struct text path = {0}, owner = {0}, content = {0};
    enum assay_error error;
    bool good;

    if (directory == NULL)
        return false;
    state_path(directory, config_file, suffix, &path);
    owner_line(config_file, &owner);
    error = text_read_file(&content, path.data, max_bytes + 4096);
    good = error == ASSAY_OK && slice_equal(slice_head(text_slice(&content), owner.len), text_slice(&owner));
    if (good)
        text_add(out, content.data + owner.len, content.len - owner.len);
    else if (problems != NULL && error == ASSAY_OK)
        problems_warn(problems, path.data, 1, "not used: the first line is not \"%.*s\"", (int)owner.len - 1,
                      owner.data);
    else if (problems != NULL && error != ASSAY_ERR_NOT_FOUND)
        problems_warn(problems, path.data, 0, "not used: cannot be read: %s", assay_error_text(error));
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
    if (!load(directory, config_file, ".good", CONFIG_FILE_MAX, &old, NULL) || !slice_equal(text_slice(&old), body))
        save(directory, config_file, ".good", body, problems);
    text_free(&old);
}

bool state_read_good(const char *directory, const char *config_file, struct text *out, struct problems *problems)
{
    return load(directory, config_file, ".good", CONFIG_FILE_MAX, out, problems);
}

static void describe_switch(const struct verify_switch_of *item, struct text *out)
{
    const struct verify_target *target = &item->target;

    if (target->host != NULL)
        text_printf(out, "origin %d until %" PRIu64 " %u %s\n", (int)item->verify.mode, item->verify.until_s,
                    target->port, target->host);
    else
        text_printf(out, "deployment %d until %" PRIu64 " %s\n", (int)item->verify.mode, item->verify.until_s,
                    target->deployment);
}

void state_save_verify(const char *directory, const char *config_file, const struct verify_switches *switches,
                       struct problems *problems)
{
    struct text path = {0}, body = {0};

    if (directory == NULL)
        return;
    if (!switches->global.set && switches->count == 0) {
        state_path(directory, config_file, ".verify", &path);
        if (access(path.data, F_OK) == 0 && file_remove(path.data) != ASSAY_OK)
            problems_warn(problems, path.data, 0, "cannot be removed: the switch will come back at a restart");
        text_free(&path);
        return;
    }
    if (switches->global.set)
        text_printf(&body, "mode %d until %" PRIu64 "\n", (int)switches->global.mode, switches->global.until_s);
    for (uint32_t i = 0; i < switches->count; i++)
        describe_switch(&switches->items[i], &body);
    save(directory, config_file, ".verify", text_slice(&body), problems);
    text_free(&body);
}

/* One line of what describe_switch() and state_save_verify() write; false: it is none. */
static bool read_switch(const char *line, struct verify_target *target, struct verify_switch *verify)
{
    int mode = -1, end = 0;
    unsigned port = 0;

    *target = (struct verify_target){0};
    if (sscanf(line, "deployment %d until %" SCNu64 " %n", &mode, &verify->until_s, &end) == 2 && end > 0) {
        target->deployment = line + end;
    } else if (sscanf(line, "origin %d until %" SCNu64 " %u %n", &mode, &verify->until_s, &port, &end) == 3 &&
               end > 0) {
        target->host = line + end;
        target->port = (uint16_t)port;
    } else if (sscanf(line, "mode %d until %" SCNu64, &mode, &verify->until_s) != 2) {
        return false;
    }
    verify->set = true;
    verify->mode = (enum verify_mode)mode;
    return mode >= VERIFY_ENFORCED && mode <= VERIFY_DISABLED && port <= UINT16_MAX && (end == 0 || line[end] != '\0');
}

static void warn_of_line(const char *directory, const char *config_file, uint32_t line, struct problems *problems)
{
    struct text path = {0};

    state_path(directory, config_file, ".verify", &path);
    problems_warn(problems, path.data, line, "not used: this line is none of `set verify`");
    text_free(&path);
}

void state_load_verify(const char *directory, const char *config_file, uint64_t now_s, struct verify_switches *switches,
                       struct problems *problems)
{
    struct text body = {0};
    char *rest = NULL, *line;

    *switches = (struct verify_switches){0};
    if (load(directory, config_file, ".verify", CONFIG_FILE_MAX, &body, problems))
        rest = body.data;
    for (uint32_t number = 2; rest != NULL && (line = strsep(&rest, "\n")) != NULL; number++) {
        struct verify_target target;
        struct verify_switch verify;

        if (read_switch(line, &target, &verify))
            switches_put(switches, &target, verify);
        else if (*line != '\0')
            warn_of_line(directory, config_file, number, problems);
    }
    switches_expire(switches, now_s);
    text_free(&body);
}

void state_save_registry(const char *directory, const char *config_file, struct slice text, struct problems *problems)
{
    if (directory != NULL)
        save(directory, config_file, ".registry", text, problems);
}

bool state_read_registry(const char *directory, const char *config_file, struct text *out, struct problems *problems)
{
    return load(directory, config_file, ".registry", REGISTRY_FILE_MAX, out, problems);
}
