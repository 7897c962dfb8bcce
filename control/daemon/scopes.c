/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/scopes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x509/describe.h"
#include "x509/scope.h"

/* An origin, or all ports of a host, of which something is said. */
struct origin_key {
    const char *host;
    uint16_t port;
    const struct config_scope_verify *settings; /* NULL: only switched */
    uint32_t number;                            /* in the order of the file; switches last */
};

/* A deployment of which something is said. */
struct deployment_key {
    const char *name;
    const struct x509_store *store;
    const char *store_name; /* "": that of all */
    struct config_scope_verify settings;
};

struct interned_policy {
    const char *text;
    const struct x509_policy *policy;
};

struct builder {
    const struct scopes_input *input;
    struct arena *arena;
    struct trust_section *out;
    struct trust_scope *scopes;
    struct trust_origin *rows;
    struct deployment_key *deployments; /* [0]: no deployment of them */
    uint32_t deployment_count;
    struct origin_key *origins;
    uint32_t origin_count;
    struct interned_policy *policies;
    uint32_t policy_count;
    struct text *judged;
};

/* --- settings --------------------------------------------------------------------------------------------------------------- */

static void settings_global(const struct config *config, struct config_scope_verify *out)
{
    const struct config_verify *verify = &config->root.verify;

    *out = (struct config_scope_verify){.mode = verify->mode,
                                        .properties = verify->properties,
                                        .profile = verify->profile,
                                        .revocation = config->root.trust.revocation.mode,
                                        .cn_match = verify->cn_match,
                                        .compat_ip_as_dns = verify->compat_ip_as_dns,
                                        .partial_chain = verify->partial_chain,
                                        .sha1 = verify->sha1,
                                        .rsa_bits_min = verify->rsa_bits_min,
                                        .depth_max = verify->depth_max,
                                        .work_max = verify->work_max,
                                        .skew = verify->skew,
                                        .pins = verify->pins};
}

/* Key by key: what is said here goes before what was said of more origins. */
static void settings_take(const struct config *config, const struct config_scope_verify *more,
                          struct config_scope_verify *out)
{
#define TAKE(key)                          \
    if (config_is_set(config, &more->key)) \
    out->key = more->key
    TAKE(mode);
    TAKE(properties);
    TAKE(profile);
    TAKE(revocation);
    TAKE(cn_match);
    TAKE(compat_ip_as_dns);
    TAKE(partial_chain);
    TAKE(sha1);
    TAKE(rsa_bits_min);
    TAKE(depth_max);
    TAKE(work_max);
    TAKE(skew);
    TAKE(pins);
#undef TAKE
}

static void settings_switch(const struct builder *build, const struct verify_target *target,
                            struct config_scope_verify *out)
{
    const struct verify_switch *verify = switches_find(build->input->switches, target);

    if (verify != NULL)
        out->mode = verify->mode;
}

static void policy_fill(const struct config_scope_verify *settings, struct x509_policy *policy)
{
    x509_policy_default(policy);
    policy->cn_match = (enum x509_cn_match)settings->cn_match;
    policy->compat_ip_as_dns = settings->compat_ip_as_dns;
    policy->partial_chain = settings->partial_chain;
    policy->sha1_allowed = settings->sha1;
    policy->rsa_bits_min = (uint16_t)settings->rsa_bits_min;
    policy->depth_max = (uint8_t)settings->depth_max;
    policy->work_max = (uint32_t)settings->work_max;
    policy->skew_s = (uint32_t)(settings->skew / 1000000);
    policy->revocation = (enum x509_revocation_mode)settings->revocation;
    for (uint32_t i = 0; i < settings->pins.count && policy->pin_count < X509_PINS_MAX; i++)
        if (settings->pins.items[i] != NULL &&
            x509_pin_parse(slice_text(settings->pins.items[i]), policy->pins[policy->pin_count]) == ASSAY_OK)
            policy->pin_count++; /* check_values() has refused the others */
    x509_policy_profile(policy, (enum x509_profile)settings->profile);
}

/* --- policies --------------------------------------------------------------------------------------------------------------- */

/* FNV-1a: no adversary chooses settings, and two texts never share a number, see policy_intern(). */
static uint32_t policy_number(struct slice text)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ text.data[i]) * 16777619U;
    return hash;
}

static void policy_text(const struct x509_policy *policy, const char *store, struct text *out)
{
    text_printf(out, "store=%s\n", store);
    text_printf(out, "cn=%d ip_as_dns=%d partial=%d sha1=%d rsa=%u depth=%u work=%u skew=%u\n", (int)policy->cn_match,
                policy->compat_ip_as_dns, policy->partial_chain, policy->sha1_allowed, policy->rsa_bits_min,
                policy->depth_max, policy->work_max, policy->skew_s);
    text_printf(out, "profile=%d purpose=%d revocation=%d\n", (int)policy->profile, (int)policy->purpose,
                (int)policy->revocation);
    for (uint8_t i = 0; i < policy->pin_count; i++) {
        char hex[X509_DESCRIBE_HEX_SIZE];

        x509_describe_hex(slice_of(policy->pins[i], sizeof(policy->pins[i])), hex, sizeof(hex));
        text_printf(out, "pin=%s\n", hex);
    }
}

void scopes_global_policy(const struct config *config, struct x509_policy *policy)
{
    struct config_scope_verify settings;

    struct text text = {0};

    settings_global(config, &settings);
    policy_fill(&settings, policy);
    policy_text(policy, "", &text);
    policy->id = policy_number(text_slice(&text));
    text_free(&text);
}

/* Equal texts are one policy; a number that another text has already is passed by. */
static const struct x509_policy *policy_intern(struct builder *build, struct x509_policy *policy, const char *text)
{
    policy->id = policy_number(slice_text(text));
    for (uint32_t i = 0; i < build->policy_count; i++) {
        const struct interned_policy *other = &build->policies[i];

        if (other->policy->id != policy->id)
            continue;
        if (strcmp(other->text, text) == 0)
            return other->policy;
        policy->id++;
        i = UINT32_MAX; /* from the front: it may be taken as well */
    }
    build->policies = memory_grow(build->policies, (build->policy_count + 1) * sizeof(*build->policies));
    build->policies[build->policy_count] =
        (struct interned_policy){arena_text(build->arena, text), arena_copy(build->arena, policy, sizeof(*policy))};
    text_add_text(build->judged, text);
    return build->policies[build->policy_count++].policy;
}

/* A scope with these settings; its index. */
static uint32_t scope_add(struct builder *build, const char *name, const struct config_scope_verify *settings,
                          const struct deployment_key *deployment)
{
    struct x509_policy policy;
    struct text text = {0};

    policy_fill(settings, &policy);
    policy_text(&policy, deployment->store_name, &text);
    build->scopes[build->out->scope_count] =
        (struct trust_scope){.name = name,
                             .store = deployment->store,
                             .policy = policy_intern(build, &policy, text_get(&text)),
                             .mode = (enum verify_mode)settings->mode,
                             .properties = (enum verify_properties)settings->properties};
    text_free(&text);
    return build->out->scope_count++;
}

/* --- what is said of whom --------------------------------------------------------------------------------------------------- */

static void choose_store(const struct scopes_input *input, struct deployment_key *key)
{
    key->store = input->stores[0].store;
    key->store_name = "";
    for (uint32_t i = 1; i < input->store_count; i++) {
        if (strcmp(input->stores[i].deployment, key->name) != 0)
            continue;
        key->store = input->stores[i].store;
        key->store_name = key->name;
    }
}

static struct deployment_key *deployment_add(struct builder *build, const char *name)
{
    struct deployment_key *key;

    for (uint32_t i = 1; i < build->deployment_count; i++)
        if (strcmp(build->deployments[i].name, name) == 0)
            return &build->deployments[i];
    build->deployments = memory_grow(build->deployments, (build->deployment_count + 1) * sizeof(*build->deployments));
    key = &build->deployments[build->deployment_count++];
    *key = (struct deployment_key){.name = arena_text(build->arena, name), .settings = build->deployments[0].settings};
    choose_store(build->input, key);
    return key;
}

static void collect_deployments(struct builder *build)
{
    const struct config *config = build->input->config;
    const struct verify_switches *switches = build->input->switches;

    build->deployments = memory_alloc(sizeof(*build->deployments));
    build->deployment_count = 1;
    build->deployments[0] = (struct deployment_key){.store = build->input->stores[0].store, .store_name = ""};
    settings_global(config, &build->deployments[0].settings);
    settings_switch(build, &(struct verify_target){0}, &build->deployments[0].settings);
    for (uint32_t i = 0; i < config->root.deployments.count; i++) {
        const struct config_deployment *item = &config->root.deployments.items[i];

        if (item->name != NULL) /* a partial configuration */
            settings_take(config, &item->verify, &deployment_add(build, item->name)->settings);
    }
    for (uint32_t i = 0; i < switches->count; i++)
        if (switches->items[i].target.deployment != NULL)
            deployment_add(build, switches->items[i].target.deployment)->settings.mode = switches->items[i].verify.mode;
}

static void origin_add(struct builder *build, const char *host, uint16_t port,
                       const struct config_scope_verify *settings)
{
    if (host == NULL || host[0] == '\0') /* a partial configuration, or refused by check_values() */
        return;
    build->origins = memory_grow(build->origins, (build->origin_count + 1) * sizeof(*build->origins));
    build->origins[build->origin_count] = (struct origin_key){host, port, settings, build->origin_count};
    build->origin_count++;
}

static int by_host_and_port(const void *a, const void *b)
{
    const struct origin_key *x = a, *y = b;
    int order = strcmp(x->host, y->host);

    order = order != 0 ? order : (int)x->port - (int)y->port;
    return order != 0 ? order : x->number < y->number ? -1 : 1;
}

static bool same_key(const struct origin_key *a, const struct origin_key *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Sorted by host and port; of one that is in the file and switched as well the file's stays, which has the settings. */
static void collect_origins(struct builder *build)
{
    const struct config_root *root = &build->input->config->root;
    const struct verify_switches *switches = build->input->switches;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < root->origins.count; i++) {
        const struct config_origin_settings *item = &root->origins.items[i];

        for (uint32_t k = 0; k < item->hosts.count; k++)
            origin_add(build, item->hosts.items[k].host, item->hosts.items[k].port, &item->verify);
    }
    for (uint32_t i = 0; i < switches->count; i++)
        origin_add(build, switches->items[i].target.host, switches->items[i].target.port, NULL);
    if (build->origin_count > 0)
        qsort(build->origins, build->origin_count, sizeof(*build->origins), by_host_and_port);
    for (uint32_t i = 0; i < build->origin_count; i++)
        if (kept == 0 || !same_key(&build->origins[kept - 1], &build->origins[i]))
            build->origins[kept++] = build->origins[i];
    build->origin_count = kept;
}

/* --- the scopes ------------------------------------------------------------------------------------------------------------- */

static void take_origin(const struct builder *build, const struct origin_key *key, struct config_scope_verify *settings)
{
    if (key == NULL)
        return;
    if (key->settings != NULL)
        settings_take(build->input->config, key->settings, settings);
    settings_switch(build, &(struct verify_target){.host = key->host, .port = key->port}, settings);
}

static const char *origin_name(const struct builder *build, const struct origin_key *key, const char *deployment)
{
    bool ip6 = strchr(key->host, ':') != NULL && key->port != 0;
    char port[8] = "";

    if (key->port != 0)
        snprintf(port, sizeof(port), ":%u", key->port);
    return arena_printf(build->arena, "origin %s%s%s%s%s%s%s", ip6 ? "[" : "", key->host, ip6 ? "]" : "", port,
                        deployment != NULL ? " (deployment " : "", deployment != NULL ? deployment : "",
                        deployment != NULL ? ")" : "");
}

/* The rows of an origin: in no deployment with settings, and in each of them. wider: the same host without a port, or NULL. */
static void build_origin(struct builder *build, const struct origin_key *key, const struct origin_key *wider)
{
    const char *host = arena_text(build->arena, key->host);

    for (uint32_t d = 0; d < build->deployment_count; d++) {
        const struct deployment_key *deployment = &build->deployments[d];
        struct config_scope_verify settings = deployment->settings;

        take_origin(build, wider, &settings);
        take_origin(build, key, &settings);
        build->rows[build->out->origin_count++] = (struct trust_origin){
            .host = host,
            .port = key->port,
            .deployment = d > 0 ? x509_scope_deployment(slice_text(deployment->name)) : 0,
            .scope = scope_add(build, origin_name(build, key, deployment->name), &settings, deployment)};
    }
}

static void build_origins(struct builder *build)
{
    const struct origin_key *wider = NULL;

    for (uint32_t i = 0; i < build->origin_count; i++) {
        const struct origin_key *key = &build->origins[i];

        /* The one without a port is the first of its host. */
        if (key->port == 0 || (wider != NULL && strcmp(wider->host, key->host) != 0))
            wider = NULL;
        build_origin(build, key, wider);
        if (key->port == 0)
            wider = key;
    }
    build->out->origins = build->rows;
}

static int by_number(const void *a, const void *b)
{
    const struct trust_deployment *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static void build_deployments(struct builder *build)
{
    uint32_t count = build->deployment_count - 1;
    struct trust_deployment *rows = arena_alloc(build->arena, count * sizeof(*rows));

    for (uint32_t i = 0; i < count; i++) {
        const struct deployment_key *key = &build->deployments[i + 1];

        rows[i] = (struct trust_deployment){
            .number = x509_scope_deployment(slice_text(key->name)),
            .name = key->name,
            .scope = scope_add(build, arena_printf(build->arena, "deployment %s", key->name), &key->settings, key)};
    }
    if (count > 0)
        qsort(rows, count, sizeof(*rows), by_number);
    build->out->deployments = rows;
    build->out->deployment_count = count;
}

static void describe(const struct trust_section *out, struct text *content)
{
    for (uint32_t i = 0; i < out->scope_count; i++)
        text_printf(content, "scope %s %d %d %u\n", out->scopes[i].name, (int)out->scopes[i].mode,
                    (int)out->scopes[i].properties, out->scopes[i].policy->id);
    for (uint32_t i = 0; i < out->deployment_count; i++)
        text_printf(content, "deployment %s %u\n", out->deployments[i].name, out->deployments[i].scope);
    for (uint32_t i = 0; i < out->origin_count; i++)
        text_printf(content, "origin %s %u %llx %u\n", out->origins[i].host, out->origins[i].port,
                    (unsigned long long)out->origins[i].deployment, out->origins[i].scope);
}

bool scopes_build(const struct scopes_input *input, struct arena *arena, struct trust_section *out, struct text *judged,
                  struct text *content, struct problems *problems)
{
    struct builder build = {.input = input, .arena = arena, .out = out, .judged = judged};
    size_t rows, scopes;

    collect_deployments(&build);
    collect_origins(&build);
    rows = (size_t)build.origin_count * build.deployment_count;
    scopes = rows + build.deployment_count;
    if (scopes <= SCOPES_MAX) {
        build.scopes = arena_alloc(arena, scopes * sizeof(*build.scopes));
        build.rows = arena_alloc(arena, rows * sizeof(*build.rows));
        scope_add(&build, "global", &build.deployments[0].settings, &build.deployments[0]);
        build_deployments(&build);
        build_origins(&build);
        out->scopes = build.scopes;
        describe(out, content);
    } else {
        problems_add(problems, input->config->file, config_line(input->config, &input->config->root.origins),
                     "origins: %u of them in %u deployments with settings of their own: more than %d combinations",
                     build.origin_count, build.deployment_count - 1, SCOPES_MAX);
    }
    free(build.deployments);
    free(build.origins);
    free(build.policies);
    return scopes <= SCOPES_MAX;
}
