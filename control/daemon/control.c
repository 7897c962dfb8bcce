/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/control.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/candidate.h"
#include "daemon/capture_session.h"
#include "daemon/control_publish.h"
#include "daemon/control_registry.h"
#include "daemon/control_ticks.h"
#include "daemon/expiry.h"
#include "daemon/log.h"
#include "daemon/prober.h"
#include "daemon/registry.h"
#include "daemon/state.h"

#define ROLES_MAX           3     /* anchor, helper, leaf-only */
#define CRL_PATHS_CHANGE_US 50000 /* of a change: verifying paths for the CRLs that they name; the rest in the ticks */

const char *verify_mode_name(enum verify_mode mode)
{
    switch (mode) {
    case VERIFY_ENFORCED: return "enforced";
    case VERIFY_PERMISSIVE: return "permissive";
    case VERIFY_DISABLED: return "disabled";
    }
    return "?";
}

void change_free(struct change *change)
{
    text_free(&change->restart_keys);
    problems_free(&change->problems);
}

/* Which CRLs are wanted follows from what was published. Those on disk are in force when the change is. */
static void follow_crls(struct control *control)
{
    struct change more = {0};

    if (crl_fetch_follow(control, CRL_PATHS_CHANGE_US))
        (void)control_publish_trust(control, control->trust, &more);
    change_free(&more);
}

/* --- configuration --------------------------------------------------------------------------------------------------------- */

bool control_reload(struct control *control, uint64_t now_s, struct change *change)
{
    struct candidate candidate = {0};

    *change = (struct change){.generation = control->publisher.generation};
    control->now_s = now_s;
    if (!candidate_read(&candidate, config_load(control->config_file, &change->problems), control->trust,
                        &change->problems) ||
        !candidate_build(&candidate, control, now_s, &change->problems) ||
        !candidate_finish(&candidate, control, &change->problems)) {
        control->refused++;
        candidate_free(&candidate);
        credentials_reap(&control->credentials);
        return false;
    }
    config_restart_keys(control->config, candidate.config, &change->restart_keys);
    control_publish_candidate(control, &candidate, change);
    config_free(control->config);
    trust_free(control->trust);
    control->config = candidate.config;
    control->trust = candidate.trust;
    control->names_changed = true;
    follow_crls(control);
    control->reloads++;
    control_registry_follow(control);
    free(control->fallback);
    control->fallback = NULL;
    state_save_config(control->state_directory, control->config_file, control->config, &change->problems);
    return true;
}

struct section *control_try_config(struct control *control, struct slice text, uint64_t now_s,
                                   struct problems *problems)
{
    struct config *config =
        text.len > 0 ? config_parse(text, control->config_file, problems) : config_load(control->config_file, problems);
    struct candidate candidate = {0};
    struct section *out = NULL;

    if (candidate_read(&candidate, config, control->trust, problems) &&
        candidate_build(&candidate, control, now_s, problems))
        out = section_take(candidate.sections[SECTION_TRUST]);
    candidate_free(&candidate);
    credentials_reap(&control->credentials);
    return out;
}

/* A whole try: values, trust, and every section built once. Takes over config. */
static bool load_from(struct control *control, struct config *config, uint64_t now_s, struct problems *problems)
{
    struct candidate candidate = {0};

    if (candidate_read(&candidate, config, NULL, problems)) {
        control->cores = config->root.cores.count;
        if (candidate_build(&candidate, control, now_s, problems)) {
            control->config = candidate.config;
            control->trust = candidate.trust;
            candidate.config = NULL;
            candidate.trust = NULL;
        }
    }
    candidate_free(&candidate);
    return control->config != NULL;
}

static void note_fallback(struct control *control, const struct problems *problems)
{
    struct text why = {0};

    text_printf(&why, "running on the last good configuration, the file is bad: %s",
                problems->kept > 0 ? problems->items[0] : "?");
    if (problems->count > 1)
        text_printf(&why, " (and %zu more)", problems->count - 1);
    control->fallback = why.data;
}

static void load_good(struct control *control, uint64_t now_s, struct problems *problems)
{
    struct problems again = {0};
    struct text copy = {0};

    if (state_read_good(control->state_directory, control->config_file, &copy, problems) &&
        load_from(control, config_parse(text_slice(&copy), control->config_file, &again), now_s, &again))
        note_fallback(control, problems);
    text_free(&copy);
    problems_free(&again);
}

bool control_load(struct control *control, const char *config_file, const char *state_directory, bool fallback,
                  uint64_t now_s, struct problems *problems)
{
    control->config_file = config_file;
    control->state_directory = state_directory;
    control->started_s = control->now_s = now_s;
    if (!load_from(control, config_load(config_file, problems), now_s, problems) && fallback)
        load_good(control, now_s, problems);
    if (control->config == NULL)
        return false;
    state_load_verify(control->state_directory, config_file, now_s, &control->verify, problems);
    control_rotate_tickets(control, now_s);
    control_registry_follow(control);
    control_registry_load(control, problems);
    return true;
}

bool control_start(struct control *control, struct core_shared *shared, struct fleet *fleet, uint64_t now_s,
                   struct change *change)
{
    struct candidate candidate = {.config = control->config, .trust = control->trust};
    bool good;

    *change = (struct change){0};
    control->now_s = now_s;
    publisher_init(&control->publisher, &shared->snapshot, shared->rcu);
    control->prober = prober_create();
    control->fleet = fleet;
    good = candidate_build(&candidate, control, now_s, &change->problems) &&
           candidate_finish(&candidate, control, &change->problems);
    candidate.config = NULL;
    candidate.trust = NULL;
    if (good) {
        control_publish_candidate(control, &candidate, change);
        follow_crls(control);
        control->names_changed = true;
        if (control->fallback == NULL)
            state_save_config(control->state_directory, control->config_file, control->config, &change->problems);
    }
    candidate_free(&candidate);
    return good;
}

void control_free(struct control *control)
{
    capture_free(control->capture);
    prober_free(control->prober); /* before what its run holds: the trust section */
    crl_fetch_stop(control);
    if (control->publisher.slot != NULL)
        publisher_free(&control->publisher);
    credentials_free(&control->credentials);
    crls_free(&control->crls);
    names_free(&control->names);
    switches_free(&control->verify);
    if (control->registry != NULL)
        control_registry_save(control);
    registry_free(control->registry);
    if (control->expiry_said != NULL)
        expiry_said_free(control->expiry_said);
    free(control->expiry_said);
    config_free(control->config);
    trust_free(control->trust);
    free(control->fallback);
    explicit_bzero(&control->tickets, sizeof(control->tickets));
    *control = (struct control){0};
}

/* --- trust ------------------------------------------------------------------------------------------------------------------ */

/* Reads the directory again and publishes. */
static bool trust_changed(struct control *control, struct change *change)
{
    struct trust *trust = trust_load_all_again(control->config, control->trust, &change->problems);

    if (trust == NULL || !control_publish_trust(control, trust, change)) {
        trust_free(trust);
        return false;
    }
    trust_free(control->trust);
    control->trust = trust;
    follow_crls(control);
    return true;
}

/* The directory as it is now, not as it was at the last reload: another hand may have written to it. */
static struct trust *current_trust(struct control *control, const char *deployment, struct change *change)
{
    struct trust *running = trust_of(control->trust, deployment);

    if (running != NULL)
        return trust_load_again(running->directory, control->trust, &change->problems);
    problems_add(&change->problems, control->config_file, 0, "deployment %s has no trust.directory", deployment);
    return NULL;
}

/* "nothing was changed" has to be true of the directory as well. */
static void take_back(const struct trust *added, struct problems *problems)
{
    for (size_t i = 0; i < added->count; i++)
        if (added->entries[i].file != NULL && file_remove(added->entries[i].file) != ASSAY_OK)
            problems_add(problems, added->entries[i].file, 0, "cannot be removed again");
}

bool control_trust_add(struct control *control, const char *deployment, struct slice data, int role,
                       struct trust **added, struct change *change)
{
    struct trust *current;
    bool good;

    *change = (struct change){.generation = control->publisher.generation};
    *added = trust_read(data, "certificates", role, &change->problems);
    if (*added == NULL)
        return false;
    current = current_trust(control, deployment, change);
    good = current != NULL && trust_add(current, *added, &change->problems) == ASSAY_OK;
    if (good && !trust_changed(control, change)) {
        take_back(*added, &change->problems);
        good = false;
    }
    trust_free(current);
    if (good)
        return true;
    trust_free(*added);
    *added = NULL;
    return false;
}

/* Each role that the certificate had gets a file of its own. */
static void put_back(struct trust *current, const uint8_t sha256[X509_FINGERPRINT_SIZE], struct problems *problems)
{
    struct trust *removed[ROLES_MAX] = {NULL};
    size_t count = 0;

    for (size_t i = 0; i < current->count && count < ROLES_MAX; i++) {
        const struct trust_entry *entry = &current->entries[i];

        if (memcmp(entry->certificate.sha256, sha256, X509_FINGERPRINT_SIZE) == 0)
            removed[count++] = trust_read(entry->certificate.der, "certificates", (int)entry->role, problems);
    }
    trust_forget(current, sha256);
    for (size_t i = 0; i < count; i++) {
        enum assay_error error = removed[i] != NULL ? trust_add(current, removed[i], problems) : ASSAY_OK;

        (void)error; /* it is among the problems */
        trust_free(removed[i]);
    }
}

enum assay_error control_trust_remove(struct control *control, const char *deployment, const char *fingerprint,
                                      char removed[65], struct change *change)
{
    uint8_t sha256[X509_FINGERPRINT_SIZE];
    const struct trust_entry *entry;
    struct trust *current;
    enum assay_error error;

    *change = (struct change){.generation = control->publisher.generation};
    current = current_trust(control, deployment, change);
    if (current == NULL)
        return ASSAY_ERR_IO;
    error = trust_find(current, fingerprint, &entry);
    if (error == ASSAY_OK) {
        memcpy(sha256, entry->certificate.sha256, sizeof(sha256));
        trust_fingerprint(sha256, removed);
        error = trust_remove(current, sha256, &change->problems) == ASSAY_OK && trust_changed(control, change)
                    ? ASSAY_OK
                    : ASSAY_ERR_IO;
        if (error != ASSAY_OK)
            put_back(current, sha256, &change->problems);
    }
    trust_free(current);
    return error;
}

/* --- switches, names ---------------------------------------------------------------------------------------------------------- */

/* Somebody who switches all of it must hear of what does not follow. */
static void warn_of_other_modes(const struct control *control, enum verify_mode mode, struct change *change)
{
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;

    for (uint32_t i = 1; i < trust->scope_count; i++)
        if (trust->scopes[i].mode != mode)
            problems_warn(&change->problems, trust->scopes[i].name, 0, "stays %s: it has a mode of its own",
                          verify_mode_name(trust->scopes[i].mode));
}

static bool put_verify(struct control *control, const struct verify_target *target, struct verify_switch verify,
                       struct change *change)
{
    struct verify_switches before = switches_copy(&control->verify);

    *change = (struct change){.generation = control->publisher.generation};
    switches_put(&control->verify, target, verify);
    if (!control_publish_trust(control, control->trust, change)) {
        switches_free(&control->verify);
        control->verify = before;
        return false;
    }
    switches_free(&before);
    state_save_verify(control->state_directory, control->config_file, &control->verify, &change->problems);
    return true;
}

bool control_set_verify(struct control *control, const struct verify_target *target, enum verify_mode mode,
                        uint64_t until_s, struct change *change)
{
    bool all = target->deployment == NULL && target->host == NULL;
    /* back to what the file says: nothing is switched any more */
    bool back = all && until_s == 0 && mode == (enum verify_mode)control->config->root.verify.mode;
    struct verify_switch verify = {.set = !back, .mode = mode, .until_s = until_s};

    if (!put_verify(control, target, verify, change))
        return false;
    if (all)
        warn_of_other_modes(control, mode, change);
    return true;
}

bool control_unset_verify(struct control *control, const struct verify_target *target, struct change *change)
{
    return put_verify(control, target, (struct verify_switch){0}, change);
}

bool control_route_changed(struct control *control, struct change *change)
{
    struct section *section;

    *change = (struct change){.generation = control->publisher.generation};
    section = section_build_route(control->config, &control->names, &change->problems);
    if (section == NULL)
        return false;
    control_publish_section(control, section, change);
    return true;
}

void control_capture_ended(struct control *control)
{
    struct capture_status status;

    if (control->log == NULL)
        return;
    capture_get_status(control->capture, &status);
    log_event(control->log, "INFO", "capture ended: %s: %llu packets, %llu bytes, %llu lost in %s", status.ended,
              (unsigned long long)status.packets, (unsigned long long)status.bytes, (unsigned long long)status.dropped,
              status.path);
}
