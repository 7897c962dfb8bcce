/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/capture_session.h"
#include "daemon/check.h"
#include "daemon/expiry.h"
#include "daemon/log.h"
#include "daemon/prober.h"
#include "daemon/registry.h"
#include "daemon/registry_file.h"
#include "daemon/registry_judge.h"
#include "daemon/state.h"

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

/* --- ticket keys -------------------------------------------------------------------------------------------------------- */

/* A new key encrypts; the ones before still decrypt what they encrypted. */
static void rotate_tickets(struct control *control, uint64_t now_s)
{
    struct tls_ticket_keys *keys = &control->tickets;

    memmove(&keys->keys[1], &keys->keys[0], sizeof(keys->keys[0]) * (TLS_TICKET_KEYS_MAX - 1));
    /* 48 bytes at once are never cut short (getrandom(2)); without randomness there is no TLS at all */
    if (getrandom(&keys->keys[0], sizeof(keys->keys[0]), 0) != sizeof(keys->keys[0]))
        abort();
    if (keys->count < TLS_TICKET_KEYS_MAX)
        keys->count++;
    control->tickets_rotate_s = now_s + control->config->root.tls.ticket_rotate / 1000000;
}

/* --- chains that origins showed ------------------------------------------------------------------------------------------- */

#define CHAINS_PER_TICK      4096   /* of each core */
#define JUDGE_BUDGET_US      5000   /* of a tick */
#define PRECOMPUTE_BUDGET_US 200000 /* of a publish; what is left the cores judge as ever */
#define REGISTRY_AGAIN_S     10
#define REGISTRY_SAVE_S      600
#define EXPIRY_AGAIN_S       60
/* Verifying paths for the CRLs that they name: */
#define CRL_PATHS_TICK_US   20000 /* of a tick */
#define CRL_PATHS_CHANGE_US 50000 /* of a change; the rest in the following ticks */

static struct registry_limits registry_limits_of(const struct config *config)
{
    const struct config_registry *from = &config->root.registry;

    return (struct registry_limits){(uint32_t)from->entries, from->memory, from->keep / 1000000};
}

static void follow_registry(struct control *control)
{
    struct registry_limits limits = registry_limits_of(control->config);

    if (control->registry == NULL)
        control->registry = registry_create(&limits);
    else
        registry_set_limits(control->registry, &limits);
}

static void take_chains(struct control *control, uint64_t now_s)
{
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;
    uint64_t known = registry_stats(control->registry)->added;
    size_t taken = 0;

    for (uint32_t i = 0; control->fleet != NULL && i < control->fleet->count; i++) {
        struct byte_ring *ring = core_chain_ring(control->fleet->cores[i]);

        if (ring != NULL)
            taken += registry_drain(control->registry, ring, CHAINS_PER_TICK);
    }
    registry_age(control->registry, now_s);
    /* what is new may end soon */
    if (registry_stats(control->registry)->added != known && control->expiry_due_s > now_s + 1)
        control->expiry_due_s = now_s + 1;
    if (taken == 0 && now_s < control->registry_due_s)
        return;
    control->registry_due_s = now_s;
    if (registry_judge_rest(control->registry, trust, now_s, JUDGE_BUDGET_US))
        control->registry_due_s += REGISTRY_AGAIN_S;
}

static void load_registry(struct control *control)
{
    struct text text = {0};
    size_t left_out = 0;

    if (state_read_registry(control->state_directory, control->config_file, &text))
        registry_file_read(control->registry, text_slice(&text), &left_out);
    if (left_out > 0 && control->log != NULL)
        log_event(control->log, "WARNING", "registry of the last run: %zu entries cannot be read", left_out);
    text_free(&text);
}

static void save_registry(struct control *control)
{
    struct problems problems = {0};
    struct text text = {0};

    if (control->state_directory == NULL || registry_count(control->registry) == 0)
        return;
    registry_file_write(control->registry, &text);
    state_save_registry(control->state_directory, control->config_file, text_slice(&text), &problems);
    for (size_t i = 0; control->log != NULL && i < problems.warnings_kept; i++)
        log_event(control->log, "WARNING", "%s", problems.warnings[i]);
    text_free(&text);
    problems_free(&problems);
}

/* A line for each certificate that will end soon. */
static void warn_of_ends(struct control *control, uint64_t now_s)
{
    struct expiry_list list;
    struct text lines = {0};
    char *at, *end;

    expiry_collect(control, &list);
    if (control->expiry_said == NULL)
        control->expiry_said = memory_alloc(sizeof(*control->expiry_said));
    expiry_warn(control->expiry_said, &list, now_s, &lines);
    for (at = lines.data; control->log != NULL && at != NULL && (end = strchr(at, '\n')) != NULL; at = end + 1)
        log_event(control->log, "WARNING", "%.*s", (int)(end - at), at);
    text_free(&lines);
    expiry_free(&list);
}

static void watch_registry(struct control *control, uint64_t now_s)
{
    if (now_s >= control->expiry_due_s) {
        control->expiry_due_s = now_s + EXPIRY_AGAIN_S;
        warn_of_ends(control, now_s);
    }
    if (control->registry_save_s == 0)
        control->registry_save_s = now_s + REGISTRY_SAVE_S;
    if (now_s >= control->registry_save_s) {
        control->registry_save_s = now_s + REGISTRY_SAVE_S;
        save_registry(control);
    }
}

/* Into a trust section that is about to be published: verdicts about the chains that are known. */
static void precompute(struct control *control, struct section *next)
{
    const struct section *running = publisher_section(&control->publisher, SECTION_TRUST);
    struct registry_judged judged;

    if (next->kind != SECTION_TRUST || next == running || registry_count(control->registry) == 0)
        return;
    next->verdicts = registry_precompute(control->registry, running != NULL ? &running->data.trust : NULL,
                                         &next->data.trust, control->now_s, PRECOMPUTE_BUDGET_US, &judged);
    next->data.trust.verdicts = next->verdicts;
    if (control->log != NULL)
        log_event(control->log, "INFO", "verdicts on %zu known chains: %zu stand, %zu judged, %zu left, %.1f ms",
                  judged.known, judged.kept, judged.judged, judged.left, (double)judged.elapsed_us / 1e3);
}

/* --- from files to sections ------------------------------------------------------------------------------------------------ */

/* Everything that is built anew before anything running is touched. */
struct candidate {
    struct config *config;
    struct trust *trust;
    struct section *sections[SECTION_COUNT];
};

static void candidate_free(struct candidate *candidate)
{
    for (size_t i = 0; i < SECTION_COUNT; i++)
        section_drop(candidate->sections[i]);
    config_free(candidate->config);
    trust_free(candidate->trust);
    *candidate = (struct candidate){0};
}

static void apply_fixed_names(const struct config *config, struct names *names)
{
    for (uint32_t i = 0; i < config->root.dns.hosts.count; i++) {
        const struct config_host *host = &config->root.dns.hosts.items[i];
        struct assay_address addresses[ROUTE_ADDRESSES_MAX];
        uint32_t count = 0;

        for (; count < host->addresses.count && count < ROUTE_ADDRESSES_MAX; count++)
            addresses[count] = host->addresses.items[count].address;
        names_answer(names, slice_text(host->name), addresses, count, NULL, 0);
    }
}

static struct section *choose(const struct control *control, enum section_kind kind, struct section *next)
{
    return next != NULL ? section_choose(publisher_section(&control->publisher, kind), next) : NULL;
}

static bool build_sections(struct control *control, struct candidate *candidate, uint64_t now_s,
                           struct problems *problems)
{
    const struct config *config = candidate->config;
    const struct section *access = publisher_section(&control->publisher, SECTION_ACCESS);
    struct section **out = candidate->sections;
    size_t before = problems->count;

    out[SECTION_SETTINGS] = choose(control, SECTION_SETTINGS, section_build_settings(config, problems));
    out[SECTION_TRUST] =
        choose(control, SECTION_TRUST,
               section_build_trust(config, candidate->trust, &control->verify, &control->crls, problems));
    out[SECTION_ACCESS] =
        choose(control, SECTION_ACCESS,
               section_build_access(config, control->cores, access != NULL ? access->rules : NULL, problems));
    out[SECTION_CREDENTIALS] =
        choose(control, SECTION_CREDENTIALS,
               section_build_credentials(config, control->cores, &control->credentials,
                                         control->tickets.count > 0 ? &control->tickets : NULL, now_s, problems));
    return problems->count == before;
}

/* The route comes last: it holds the names that the rules use. Nothing can go wrong from here on but the memory. */
static bool finish_candidate(struct control *control, struct candidate *candidate, struct problems *problems)
{
    sections_want_names(candidate->config, candidate->sections[SECTION_ACCESS]->rules, &control->crls, &control->names);
    apply_fixed_names(candidate->config, &control->names);
    candidate->sections[SECTION_ROUTE] =
        choose(control, SECTION_ROUTE, section_build_route(candidate->config, &control->names, problems));
    return candidate->sections[SECTION_ROUTE] != NULL;
}

/* --- publishing ---------------------------------------------------------------------------------------------------------- */

static double elapsed_ms(const struct timespec *from)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) * 1e3 + (double)(now.tv_nsec - from->tv_nsec) / 1e6;
}

static void await(struct control *control, bool published, struct change *change)
{
    struct timespec start;

    clock_gettime(CLOCK_MONOTONIC, &start);
    change->published = published;
    change->generation = control->publisher.generation;
    change->adopted = true;
    if (published && control->fleet != NULL && control->fleet->running)
        change->adopted = fleet_wait(control->fleet, change->generation, CONTROL_ADOPT_TIMEOUT_US) == ASSAY_OK;
    change->adopted_ms = elapsed_ms(&start);
    publisher_reap(&control->publisher);
    credentials_reap(&control->credentials);
}

static void publish_all(struct control *control, struct candidate *candidate, struct change *change)
{
    bool published;

    precompute(control, candidate->sections[SECTION_TRUST]);
    published = publisher_publish(&control->publisher, candidate->sections);

    memset(candidate->sections, 0, sizeof(candidate->sections));
    await(control, published, change);
}

static void publish_one(struct control *control, struct section *next, struct change *change)
{
    struct section *chosen = section_choose(publisher_section(&control->publisher, next->kind), next);

    precompute(control, chosen);
    await(control, publisher_replace(&control->publisher, chosen), change);
}

/* Which CRLs are wanted follows from what was published. Those on disk are in force when the change is. */
static void follow_crls(struct control *control)
{
    struct change more = {0};
    struct section *section;

    if (!crl_fetch_follow(control, CRL_PATHS_CHANGE_US))
        return;
    section = section_build_trust(control->config, control->trust, &control->verify, &control->crls, &more.problems);
    if (section != NULL)
        publish_one(control, section, &more);
    change_free(&more);
}

/* --- configuration --------------------------------------------------------------------------------------------------------- */

/* Takes over config. */
static bool read_candidate(struct candidate *candidate, struct config *config, const struct trust *known,
                           struct problems *problems)
{
    size_t before = problems->count;

    candidate->config = config;
    if (config == NULL)
        return false;
    check_values(config, problems);
    candidate->trust = trust_load_all_again(config, known, problems);
    return problems->count == before;
}

bool control_reload(struct control *control, uint64_t now_s, struct change *change)
{
    struct candidate candidate = {0};

    *change = (struct change){.generation = control->publisher.generation};
    control->now_s = now_s;
    if (!read_candidate(&candidate, config_load(control->config_file, &change->problems), control->trust,
                        &change->problems) ||
        !build_sections(control, &candidate, now_s, &change->problems) ||
        !finish_candidate(control, &candidate, &change->problems)) {
        control->refused++;
        candidate_free(&candidate);
        credentials_reap(&control->credentials);
        return false;
    }
    config_restart_keys(control->config, candidate.config, &change->restart_keys);
    publish_all(control, &candidate, change);
    config_free(control->config);
    trust_free(control->trust);
    control->config = candidate.config;
    control->trust = candidate.trust;
    control->names_changed = true;
    follow_crls(control);
    control->reloads++;
    follow_registry(control);
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

    if (read_candidate(&candidate, config, control->trust, problems) &&
        build_sections(control, &candidate, now_s, problems))
        out = section_take(candidate.sections[SECTION_TRUST]);
    candidate_free(&candidate);
    credentials_reap(&control->credentials);
    return out;
}

/* A whole try: values, trust, and every section built once. Takes over config. */
static bool load_from(struct control *control, struct config *config, uint64_t now_s, struct problems *problems)
{
    struct candidate candidate = {0};

    if (read_candidate(&candidate, config, NULL, problems)) {
        control->cores = config->root.cores.count;
        if (build_sections(control, &candidate, now_s, problems)) {
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

static void load_good(struct control *control, uint64_t now_s, const struct problems *problems)
{
    struct problems again = {0};
    struct text copy = {0};

    if (state_read_good(control->state_directory, control->config_file, &copy) &&
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
    state_load_verify(control->state_directory, config_file, now_s, &control->verify);
    rotate_tickets(control, now_s);
    follow_registry(control);
    load_registry(control);
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
    good = build_sections(control, &candidate, now_s, &change->problems) &&
           finish_candidate(control, &candidate, &change->problems);
    candidate.config = NULL;
    candidate.trust = NULL;
    if (good) {
        publish_all(control, &candidate, change);
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
        save_registry(control);
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
    struct section *section = NULL;

    if (trust != NULL)
        section = section_build_trust(control->config, trust, &control->verify, &control->crls, &change->problems);
    if (section == NULL) {
        trust_free(trust);
        return false;
    }
    publish_one(control, section, change);
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
    good =
        current != NULL && trust_add(current, *added, &change->problems) == ASSAY_OK && trust_changed(control, change);
    trust_free(current);
    if (good)
        return true;
    trust_free(*added);
    *added = NULL;
    return false;
}

enum assay_error control_trust_remove(struct control *control, const char *deployment, const char *fingerprint,
                                      char removed[65], struct change *change)
{
    const struct trust_entry *entry;
    struct trust *current;
    enum assay_error error;

    *change = (struct change){.generation = control->publisher.generation};
    current = current_trust(control, deployment, change);
    if (current == NULL)
        return ASSAY_ERR_IO;
    error = trust_find(current, fingerprint, &entry);
    if (error == ASSAY_OK) {
        trust_fingerprint(entry->certificate.sha256, removed);
        if (trust_remove(current, entry->certificate.sha256, &change->problems) != ASSAY_OK ||
            !trust_changed(control, change))
            error = ASSAY_ERR_IO;
    }
    trust_free(current);
    return error;
}

/* --- switches, names, time ---------------------------------------------------------------------------------------------------- */

static bool apply_verify(struct control *control, struct change *change)
{
    struct section *section =
        section_build_trust(control->config, control->trust, &control->verify, &control->crls, &change->problems);

    if (section == NULL)
        return false;
    publish_one(control, section, change);
    return true;
}

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
    if (!apply_verify(control, change)) {
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
    publish_one(control, section, change);
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

bool control_tick(struct control *control, uint64_t now_s, struct change *change, const char **what)
{
    struct section *section;

    *change = (struct change){.generation = control->publisher.generation};
    control->now_s = now_s;
    if (capture_tick(control->capture))
        control_capture_ended(control);
    take_chains(control, now_s);
    watch_registry(control, now_s);
    prober_tick(control->prober, control, now_s);
    publisher_reap(&control->publisher);
    credentials_reap(&control->credentials);
    if (switches_expire(&control->verify, now_s) > 0) {
        *what = "set verify: the time is over";
        state_save_verify(control->state_directory, control->config_file, &control->verify, &change->problems);
        return apply_verify(control, change) && change->published;
    }
    if (crl_fetch_turn(control, now_s, CRL_PATHS_TICK_US)) {
        *what = "fetched CRLs";
        return apply_verify(control, change) && change->published;
    }
    if (now_s >= control->tickets_rotate_s) {
        *what = "ticket key rotated";
        rotate_tickets(control, now_s);
        section = section_build_credentials(control->config, control->cores, &control->credentials, &control->tickets,
                                            now_s, &change->problems);
        if (section == NULL)
            return false;
        publish_one(control, section, change);
        return change->published;
    }
    return false;
}
