/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "daemon/sections.h"

struct build {
    const struct config *config;
    struct section *section;
    struct credential_cache *cache;
    struct problems *problems;
    uint64_t now_s;
    uint32_t cores;
    struct credential_name *names;
    uint32_t name_count;
    struct credential_origin *origins;
    uint32_t origin_count;
};

static struct credential *get(struct build *build, const struct credential_request *request)
{
    struct credential *credential = credentials_get(build->cache, request, build->cores, build->now_s, build->problems);
    struct section *section = build->section;

    if (credential == NULL)
        return NULL;
    section->credential_refs =
        memory_grow(section->credential_refs, (section->credential_count + 1) * sizeof(credential));
    section->credential_refs[section->credential_count++] = credential;
    return credential;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* --- toward clients ----------------------------------------------------------------------------------------------------- */

static void add_name(struct build *build, struct slice name, struct credential *credential)
{
    char canonical[HOST_NAME_MAX + 3];
    struct slice host = name, spelled;
    bool wildcard = name.len > 2 && name.data[0] == '*' && name.data[1] == '.';

    if (wildcard)
        host = slice_tail(name, 2);
    if (host_canonical(host, canonical + (wildcard ? 2 : 0), &spelled) != ASSAY_OK)
        return;
    if (wildcard) {
        canonical[0] = '*';
        canonical[1] = '.';
    }
    spelled = slice_of(canonical, spelled.len + (wildcard ? 2 : 0));
    for (uint32_t i = 0; i < build->name_count; i++)
        if (slice_is(spelled, build->names[i].name))
            return; /* the first credential in the file's order keeps the name */
    build->names = memory_grow(build->names, (build->name_count + 1) * sizeof(*build->names));
    build->names[build->name_count++] = (struct credential_name){
        arena_text_n(&build->section->arena, (const char *)spelled.data, spelled.len), &credential->tls};
}

static void add_certificate_names(struct build *build, struct credential *credential)
{
    struct slice rest = credential->leaf.san, value;
    enum x509_general_name kind;

    while (x509_general_name_next(&rest, &kind, &value))
        if (kind == X509_NAME_DNS)
            add_name(build, value, credential);
}

static void add_server(struct build *build, const struct config_credential *item)
{
    const struct config_tls *tls = &build->config->root.tls;
    struct credential_request request = {.side = CREDENTIAL_TOWARD_CLIENTS,
                                         .chain_file = item->chain,
                                         .key_file = item->key,
                                         .ciphers = tls->ciphers.clients,
                                         .version_min = tls->clients_min == 0 ? TLS_VERSION_1_2 : TLS_VERSION_1_3,
                                         .ticket_lifetime_s = (uint32_t)(tls->ticket_lifetime / 1000000),
                                         .where = build->config->file,
                                         .line = config_line(build->config, &item->chain)};
    struct credential_section *out = &build->section->data.credentials;
    struct credential *credential;

    if (item->chain == NULL || item->key == NULL) /* a partial configuration */
        return;
    request.name = item->name != NULL ? item->name : base_name(item->chain);
    credential = get(build, &request);
    if (credential == NULL)
        return;
    if (out->server_default == NULL)
        out->server_default = &credential->tls;
    for (uint32_t i = 0; i < item->names.count; i++)
        if (item->names.items[i] != NULL)
            add_name(build, slice_text(item->names.items[i]), credential);
    if (item->names.count == 0)
        add_certificate_names(build, credential);
}

/* --- toward origins ----------------------------------------------------------------------------------------------------- */

static struct credential_request client_request(const struct build *build)
{
    const struct config_tls *tls = &build->config->root.tls;

    return (struct credential_request){.side = CREDENTIAL_TOWARD_ORIGINS,
                                       .name = "none",
                                       .ciphers = tls->ciphers.origins,
                                       .version_min = tls->origins_min == 0 ? TLS_VERSION_1_2 : TLS_VERSION_1_3,
                                       .where = build->config->file,
                                       .line = config_line(build->config, &tls->ciphers.origins)};
}

static void add_client(struct build *build, const struct config_client_credential *item)
{
    struct credential_section *out = &build->section->data.credentials;
    struct credential_request request = client_request(build);
    struct credential *credential;

    if (item->chain == NULL || item->key == NULL)
        return;
    request.name = item->name != NULL ? item->name : base_name(item->chain);
    request.chain_file = item->chain;
    request.key_file = item->key;
    request.line = config_line(build->config, &item->chain);
    credential = get(build, &request);
    if (credential == NULL)
        return;
    for (uint32_t i = 0; i < item->origins.count; i++) {
        const struct config_origin *origin = &item->origins.items[i];

        if (origin->host == NULL)
            continue;
        if (origin->host[0] == '\0') {
            if (out->client_default != NULL)
                problems_add(build->problems, build->config->file, config_line(build->config, item),
                             "client_credentials: a second one for default");
            out->client_default = &credential->tls;
            continue;
        }
        build->origins = memory_grow(build->origins, (build->origin_count + 1) * sizeof(*build->origins));
        build->origins[build->origin_count++] = (struct credential_origin){
            arena_text(&build->section->arena, origin->host), origin->port, &credential->tls};
    }
}

/* Without a certificate: an origin that asks gets an empty one, and decides (S18). */
static void add_empty_client(struct build *build)
{
    struct credential_request request = client_request(build);
    struct credential *credential;

    if (build->section->data.credentials.client_default != NULL)
        return;
    credential = get(build, &request);
    if (credential != NULL)
        build->section->data.credentials.client_default = &credential->tls;
}

/* --- the section --------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct credential_name *)a)->name, ((const struct credential_name *)b)->name);
}

static int by_origin(const void *a, const void *b)
{
    const struct credential_origin *x = a, *y = b;
    int order = strcmp(x->host, y->host);

    return order != 0 ? order : (int)x->port - (int)y->port;
}

static void refuse_double_origins(struct build *build)
{
    for (uint32_t i = 1; i < build->origin_count; i++)
        if (by_origin(&build->origins[i - 1], &build->origins[i]) == 0)
            problems_add(build->problems, build->config->file,
                         config_line(build->config, &build->config->root.client_credentials),
                         "client_credentials: two for %s port %u", build->origins[i].host, build->origins[i].port);
}

static void describe(const struct credential_section *out, struct text *content)
{
    text_printf(content, "server %llu client %llu\n",
                (unsigned long long)(out->server_default != NULL ? out->server_default->id : 0),
                (unsigned long long)out->client_default->id);
    for (uint32_t i = 0; i < out->server_name_count; i++)
        text_printf(content, "name %s %llu\n", out->server_names[i].name,
                    (unsigned long long)out->server_names[i].credential->id);
    for (uint32_t i = 0; i < out->client_origin_count; i++)
        text_printf(content, "origin %s %u %llu\n", out->client_origins[i].host, out->client_origins[i].port,
                    (unsigned long long)out->client_origins[i].credential->id);
    /* a key's name is random and public: it stands for the key */
    for (uint32_t i = 0; out->ticket_keys != NULL && i < out->ticket_keys->count; i++) {
        for (size_t k = 0; k < sizeof(out->ticket_keys->keys[i].name); k++)
            text_printf(content, "%02x", out->ticket_keys->keys[i].name[k]);
        text_add_text(content, "\n");
    }
}

static void finish(struct build *build, const struct tls_ticket_keys *keys)
{
    struct credential_section *out = &build->section->data.credentials;
    struct arena *arena = &build->section->arena;

    if (build->name_count > 0)
        qsort(build->names, build->name_count, sizeof(*build->names), by_name);
    if (build->origin_count > 0)
        qsort(build->origins, build->origin_count, sizeof(*build->origins), by_origin);
    refuse_double_origins(build);
    out->server_names = arena_copy(arena, build->names, build->name_count * sizeof(*build->names));
    out->server_name_count = build->name_count;
    out->client_origins = arena_copy(arena, build->origins, build->origin_count * sizeof(*build->origins));
    out->client_origin_count = build->origin_count;
    if (keys != NULL && build->config->root.tls.ticket_lifetime > 0)
        out->ticket_keys = arena_copy(arena, keys, sizeof(*keys));
}

struct section *section_build_credentials(const struct config *config, uint32_t cores, struct credential_cache *cache,
                                          const struct tls_ticket_keys *keys, uint64_t now_s, struct problems *problems)
{
    struct build build = {.config = config,
                          .section = section_create(SECTION_CREDENTIALS),
                          .cache = cache,
                          .problems = problems,
                          .now_s = now_s,
                          .cores = cores};
    size_t before = problems->count;

    for (uint32_t i = 0; i < config->root.credentials.count; i++)
        add_server(&build, &config->root.credentials.items[i]);
    for (uint32_t i = 0; i < config->root.client_credentials.count; i++)
        add_client(&build, &config->root.client_credentials.items[i]);
    add_empty_client(&build);
    finish(&build, keys);
    free(build.names);
    free(build.origins);
    if (problems->count == before) {
        describe(&build.section->data.credentials, &build.section->content);
        return build.section;
    }
    section_drop(build.section);
    return NULL;
}
