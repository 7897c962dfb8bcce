/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "access/access.h"
#include "daemon/sections.h"

#define ALLOW_LIST_MAX (64U << 20)

static void add_nodes(const struct config *config, struct access_builder *builder, struct problems *problems)
{
    for (uint32_t i = 0; i < config->root.nodes.count; i++) {
        const struct config_node *node = &config->root.nodes.items[i];
        const char *fault = NULL;
        enum assay_error error;

        if (node->address == NULL || node->deployment == NULL) /* a partial configuration */
            continue;
        error = access_builder_add_node(builder, (enum access_node_type)node->type, slice_text(node->address),
                                        node->deployment, &fault);

        /* the same node twice, or a rule written by hand: nothing is lost */
        if (error != ASSAY_OK && error != ASSAY_ERR_DUPLICATE)
            problems_add(problems, config->file, config_line(config, node), "nodes[%u]: %s", i,
                         fault != NULL ? fault : assay_error_text(error));
    }
}

static void add_list(const struct config *config, struct access_builder *builder, struct problems *problems)
{
    const char *file = config->root.allow_list, *fault = NULL;
    struct text csv = {0};
    uint32_t line = 0;
    enum assay_error error;

    if (file == NULL)
        return;
    error = text_read_file(&csv, file, ALLOW_LIST_MAX);
    if (error != ASSAY_OK)
        problems_add(problems, config->file, config_line(config, &config->root.allow_list), "allow_list %s: %s", file,
                     assay_error_text(error));
    else if ((error = access_builder_add_csv(builder, text_slice(&csv), &line, &fault)) != ASSAY_OK)
        problems_add(problems, file, line, "%s", fault != NULL ? fault : assay_error_text(error));
    text_free(&csv);
}

static bool has_domain(const struct config *config, const char *deployment)
{
    for (uint32_t i = 0; i < config->root.domains.count; i++)
        if (config->root.domains.items[i].deployment != NULL &&
            strcmp(config->root.domains.items[i].deployment, deployment) == 0)
            return true;
    return false;
}

#define IDLE_SAID_MAX 16

/* Rules of a deployment that no domain is of: harmless, and surely not what was meant. Said once a deployment. */
static void warn_of_idle_rules(const struct config *config, const struct access_set *rules, struct problems *problems)
{
    const char *said[IDLE_SAID_MAX];
    size_t count = 0;

    for (size_t i = 0; i < access_set_count(rules) && config->root.domains.count > 0 && count < IDLE_SAID_MAX; i++) {
        const struct access_rule *rule = access_set_at(rules, i);
        bool listed = rule->source == ACCESS_SOURCE_MANUAL, known = has_domain(config, rule->deployment);

        for (size_t k = 0; k < count; k++)
            known |= strcmp(said[k], rule->deployment) == 0;
        if (known)
            continue;
        said[count++] = rule->deployment;
        problems_warn(problems, listed ? config->root.allow_list : config->file, listed ? rule->line : 0,
                      "rules of deployment %s allow nothing: no domain is of that deployment", rule->deployment);
    }
}

static void describe(struct section *section)
{
    for (size_t i = 0; i < access_set_count(section->rules); i++) {
        const struct access_rule *rule = access_set_at(section->rules, i);

        text_printf(&section->content, "%s %s %x %d %d %s\n", rule->url, rule->deployment, rule->methods,
                    (int)rule->match, (int)rule->source, rule->description);
    }
}

struct section *section_build_access(const struct config *config, uint32_t cores, const struct access_set *previous,
                                     struct problems *problems)
{
    struct access_builder *builder = access_builder_create();
    struct section *section = NULL;
    size_t before = problems->count;
    enum assay_error error;

    if (builder == NULL) {
        problems_add(problems, config->file, 0, "out of memory");
        return NULL;
    }
    access_builder_reuse(builder, previous);
    add_list(config, builder, problems);
    add_nodes(config, builder, problems);
    if (problems->count > before)
        goto out;
    section = section_create(SECTION_ACCESS);
    error = access_builder_finish(builder, cores, &section->rules);
    if (error != ASSAY_OK) {
        problems_add(problems, config->file, 0, "rules cannot be compiled: %s", assay_error_text(error));
        section->rules = NULL;
        section_drop(section);
        section = NULL;
        goto out;
    }
    section->data.access.rules = section->rules;
    warn_of_idle_rules(config, section->rules, problems);
    describe(section);
out:
    access_builder_free(builder);
    return section;
}
