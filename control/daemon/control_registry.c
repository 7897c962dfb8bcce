/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/control_registry.h"

#include "daemon/control.h"
#include "daemon/control_revoked.h"
#include "daemon/due.h"
#include "daemon/log.h"
#include "daemon/registry.h"
#include "daemon/registry_file.h"
#include "daemon/registry_judge.h"
#include "daemon/state.h"

#define CHAINS_PER_TICK      4096   /* of each core */
#define JUDGE_BUDGET_US      5000   /* of a tick */
#define PRECOMPUTE_BUDGET_US 200000 /* of a publish; what is left the cores judge as ever */
#define AGAIN_S              10
#define SAVE_S               600

static struct registry_limits registry_limits_of(const struct config *config)
{
    const struct config_registry *from = &config->root.registry;

    return (struct registry_limits){(uint32_t)from->entries, from->memory, from->keep / 1000000};
}

void control_registry_follow(struct control *control)
{
    struct registry_limits limits = registry_limits_of(control->config);

    if (control->registry == NULL)
        control->registry = registry_create(&limits);
    else
        registry_set_limits(control->registry, &limits);
}

void control_registry_load(struct control *control, struct problems *problems)
{
    struct text text = {0};
    size_t left_out = 0;

    if (state_read_registry(control->state_directory, control->config_file, &text, problems))
        registry_file_read(control->registry, text_slice(&text), &left_out);
    if (left_out > 0)
        problems_warn(problems, control->state_directory, 0,
                      "%zu of the chains that the last run has seen cannot be read", left_out);
    text_free(&text);
}

void control_registry_save(struct control *control)
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
    if (taken == 0 && !due_now(control->registry_due_s, now_s, AGAIN_S))
        return;
    control->registry_due_s = now_s;
    if (registry_judge_rest(control->registry, trust, now_s, JUDGE_BUDGET_US))
        control->registry_due_s += AGAIN_S;
    control->revoked_changed |= control_revoked_follow(control, now_s);
}

static void save_sometimes(struct control *control, uint64_t now_s)
{
    if (control->registry_save_s == 0)
        control->registry_save_s = now_s + SAVE_S;
    if (due_take(&control->registry_save_s, now_s, SAVE_S))
        control_registry_save(control);
}

void control_registry_tick(struct control *control, uint64_t now_s)
{
    take_chains(control, now_s);
    save_sometimes(control, now_s);
}

void control_registry_precompute(struct control *control, struct section *next)
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
