/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/candidate.h"

#include "base/slice.h"
#include "daemon/check.h"
#include "daemon/control.h"

void candidate_free(struct candidate *candidate)
{
    for (size_t i = 0; i < SECTION_COUNT; i++)
        section_drop(candidate->sections[i]);
    config_free(candidate->config);
    trust_free(candidate->trust);
    *candidate = (struct candidate){0};
}

bool candidate_read(struct candidate *candidate, struct config *config, const struct trust *known,
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

static struct section *choose(const struct control *control, enum section_kind kind, struct section *next)
{
    return next != NULL ? section_choose(publisher_section(&control->publisher, kind), next) : NULL;
}

bool candidate_build(struct candidate *candidate, struct control *control, uint64_t now_s, struct problems *problems)
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

bool candidate_finish(struct candidate *candidate, struct control *control, struct problems *problems)
{
    sections_want_names(candidate->config, candidate->sections[SECTION_ACCESS]->rules, &control->crls, &control->names);
    apply_fixed_names(candidate->config, &control->names);
    candidate->sections[SECTION_ROUTE] =
        choose(control, SECTION_ROUTE, section_build_route(candidate->config, &control->names, problems));
    return candidate->sections[SECTION_ROUTE] != NULL;
}
