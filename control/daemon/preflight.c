/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/preflight.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "access/access.h"
#include "base/address.h"
#include "base/host.h"
#include "daemon/check.h"
#include "daemon/crls.h"
#include "daemon/dns.h"
#include "daemon/sections.h"
#include "probe/report.h"
#include "tls/ciphers.h"
#include "x509/scope.h"

#define NODES_FILE_MAX          (4U << 20)
#define STATE_DIRECTORY_DEFAULT "/var/lib/assay"

/* An origin to ask, before it has addresses. */
struct entry {
    const char *host; /* canonical */
    uint16_t port;
    const char *deployment;
    const char *type; /* of the node; NULL: not known */
};

/* A client certificate of the configuration, and the origins it is for. */
struct credentials_of {
    struct probe_client client;
    const struct config_origins *origins; /* NULL: the one without a certificate */
};

struct preflight {
    struct arena arena;
    struct config *config; /* owned; NULL: a daemon's, which may change meanwhile */
    struct section *trust;
    struct x509_store *store; /* of trust given by hand */
    struct x509_policy policy;
    struct probe_trust *scopes;     /* as those of the trust section; by hand: one */
    struct credentials_of *clients; /* the last one has no certificate */
    size_t client_count;
    struct entry *entries;
    size_t entry_count, entry_room;
    struct names names;
    struct dns *dns; /* NULL: nothing to resolve any more */
    struct probe_options options;
    struct probe_target *targets;
    size_t target_count, target_room;
    struct probe *probe;
    json_t *ciphers;
    json_t *crl_cache; /* NULL: a daemon's, which has its own */
};

static struct preflight *create(const struct preflight_settings *settings, uint64_t now_s)
{
    struct preflight *preflight = memory_alloc(sizeof(*preflight));

    preflight->options =
        (struct probe_options){.jobs = settings->jobs, .timeout_ms = settings->timeout_ms, .now_s = now_s};
    return preflight;
}

void preflight_free(struct preflight *preflight)
{
    if (preflight == NULL)
        return;
    probe_free(preflight->probe);
    json_decref(preflight->ciphers);
    json_decref(preflight->crl_cache);
    for (size_t i = 0; i < preflight->client_count; i++)
        probe_client_free(&preflight->clients[i].client);
    free(preflight->clients);
    free(preflight->scopes);
    free(preflight->entries);
    free(preflight->targets);
    dns_free(preflight->dns);
    names_free(&preflight->names);
    section_drop(preflight->trust);
    x509_store_free(preflight->store);
    config_free(preflight->config);
    arena_free(&preflight->arena);
    free(preflight);
}

/* --- which origins ------------------------------------------------------------------------------------------------------ */

static void add_entry(struct preflight *preflight, struct slice host, uint16_t port, const char *deployment,
                      const char *type)
{
    char canonical[HOST_NAME_MAX + 1];

    if (host_canonical(host, canonical, &host) != ASSAY_OK)
        return;
    if (preflight->entry_count == preflight->entry_room) {
        preflight->entry_room = preflight->entry_room > 0 ? 2 * preflight->entry_room : 64;
        preflight->entries = memory_grow(preflight->entries, preflight->entry_room * sizeof(*preflight->entries));
    }
    preflight->entries[preflight->entry_count++] =
        (struct entry){arena_text_n(&preflight->arena, (const char *)host.data, host.len), port,
                       arena_text(&preflight->arena, deployment), type};
}

/* A node on the ports asked for, else on its own, else on those that nodes of its type have. */
static void add_node(struct preflight *preflight, const char *host, int type, const char *deployment,
                     const struct probe_ports *asked, const struct probe_ports *own)
{
    struct probe_ports ports = asked->count > 0 ? *asked : *own;

    if (ports.count == 0 && type >= 0)
        ports.count = access_node_https_ports((enum access_node_type)type, ports.ports, PROBE_PORTS_MAX);
    if (ports.count == 0)
        ports = (struct probe_ports){1, {8443}};
    for (size_t i = 0; i < ports.count; i++)
        add_entry(preflight, slice_text(host), ports.ports[i], deployment, type >= 0 ? probe_node_types[type] : NULL);
}

/* https://authority[/path] of a rule: on its port, or on those asked for. */
static void add_rule(struct preflight *preflight, const struct access_rule *rule, const struct probe_ports *asked)
{
    static const char scheme[] = "https://";
    const char *authority = rule->url + strlen(scheme);
    struct slice host;
    uint16_t port;

    if (strncmp(rule->url, scheme, strlen(scheme)) != 0 ||
        authority_parse(slice_of(authority, strcspn(authority, "/?")), &host, &port) != ASSAY_OK)
        return;
    if (asked->count == 0)
        add_entry(preflight, host, port != 0 ? port : 443, rule->deployment, NULL);
    for (size_t i = 0; i < asked->count; i++)
        add_entry(preflight, host, asked->ports[i], rule->deployment, NULL);
}

static void add_url(struct preflight *preflight, const struct config_url *url, const char *deployment,
                    const struct probe_ports *asked)
{
    if (url->host == NULL || !url->https)
        return;
    if (asked->count == 0)
        add_entry(preflight, slice_text(url->host), url->port, deployment, NULL);
    for (size_t i = 0; i < asked->count; i++)
        add_entry(preflight, slice_text(url->host), asked->ports[i], deployment, NULL);
}

static void add_configured(struct preflight *preflight, const struct config *config, const struct access_set *rules,
                           const struct probe_ports *asked)
{
    const struct config_root *root = &config->root;
    const struct probe_ports none = {0};

    for (uint32_t i = 0; i < root->nodes.count; i++)
        add_node(preflight, root->nodes.items[i].address, (int)root->nodes.items[i].type,
                 root->nodes.items[i].deployment, asked, &none);
    for (size_t i = 0; rules != NULL && i < access_set_count(rules); i++)
        add_rule(preflight, access_set_at(rules, i), asked);
    for (uint32_t i = 0; i < root->domains.count; i++)
        add_url(preflight, &root->domains.items[i].edge_config, root->domains.items[i].deployment, asked);
    for (uint32_t i = 0; i < root->listeners.count; i++)
        add_url(preflight, &root->listeners.items[i].origin,
                config_deployment_of(config, root->listeners.items[i].origin.host), asked);
}

static int by_origin(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->host, y->host);

    order = order != 0 ? order : (int)x->port - (int)y->port;
    order = order != 0 ? order : strcmp(x->deployment, y->deployment);
    return order != 0 ? order : (x->type == NULL) - (y->type == NULL); /* what is known of it comes first */
}

/* Sorted, each once. */
static void settle_entries(struct preflight *preflight)
{
    size_t kept = 0;

    if (preflight->entry_count > 0)
        qsort(preflight->entries, preflight->entry_count, sizeof(*preflight->entries), by_origin);
    for (size_t i = 0; i < preflight->entry_count; i++) {
        const struct entry *entry = &preflight->entries[i], *last = kept > 0 ? &preflight->entries[kept - 1] : NULL;

        if (last == NULL || strcmp(last->host, entry->host) != 0 || last->port != entry->port ||
            strcmp(last->deployment, entry->deployment) != 0)
            preflight->entries[kept++] = *entry;
    }
    preflight->entry_count = kept;
}

static void read_nodes(struct preflight *preflight, const char *file, const struct probe_ports *asked,
                       struct problems *problems)
{
    struct probe_nodes_reader reader;
    struct probe_node node;
    struct text text = {0};
    const char *fault;
    enum assay_error error = text_read_file(&text, file, NODES_FILE_MAX);

    if (error != ASSAY_OK)
        problems_add(problems, file, 0, "cannot be read: %s", assay_error_text(error));
    probe_nodes_begin(&reader, text_slice(&text));
    while (error == ASSAY_OK && (error = probe_nodes_next(&reader, &node, &fault)) != ASSAY_ERR_NOT_FOUND) {
        if (error == ASSAY_OK)
            add_node(preflight, node.host, node.type, config_deployment_of(preflight->config, node.host), asked,
                     &node.ports);
        else
            problems_add(problems, file, (uint32_t)reader.line, "%s", fault);
        error = ASSAY_OK;
    }
    text_free(&text);
}

/* --- with which trust --------------------------------------------------------------------------------------------------- */

static struct trust *load_trust(const char *path, struct problems *problems)
{
    struct text text = {0};
    struct trust *trust = NULL;
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return trust_load(path, problems);
    if (text_read_file(&text, path, TRUST_FILE_MAX) == ASSAY_OK)
        trust = trust_read(text_slice(&text), path, -1, problems);
    else
        problems_add(problems, path, 0, "cannot be read");
    text_free(&text);
    return trust;
}

/* The CRLs that an assayd of this configuration has fetched. */
static void take_cache(struct preflight *preflight, const struct preflight_settings *settings,
                       const struct config *config, struct crls *crls, struct problems *problems)
{
    const struct config_revocation *revocation = &config->root.trust.revocation;
    const char *state = settings->state_directory != NULL ? settings->state_directory : STATE_DIRECTORY_DEFAULT;
    const char *directory = revocation->cache;
    size_t count, warnings = problems->warning_count;

    preflight->crl_cache = json_null();
    if (!revocation->fetch)
        return;
    if (directory == NULL)
        directory = arena_printf(&preflight->arena, "%s/crls", state);
    count = crls_read_cache(crls, directory, problems);
    if (count == 0 && problems->warning_count == warnings)
        problems_warn(problems, directory, 0, "holds no CRL that assayd fetched");
    if (count == 0)
        problems_warn(problems, config->file, config_line(config, &revocation->fetch),
                      "what an assayd of this configuration fetches is not known here: verdicts are made without it");
    preflight->crl_cache = json_pack("{s:s?,s:I}", "directory", directory, "crls", (json_int_t)count);
}

/* Trust given by hand replaces all stores; how certificates are judged is what the configuration says of all origins. */
static void trust_by_hand(struct preflight *preflight, const struct preflight_settings *settings,
                          const struct config *config, struct crls *crls, struct problems *problems)
{
    const struct config_revocation *revocation = &config->root.trust.revocation;
    struct text content = {0};

    preflight->store = x509_store_create();
    for (size_t i = 0; preflight->store != NULL && i < settings->trust_count; i++) {
        struct trust *trust = load_trust(settings->trust[i], problems);

        for (size_t k = 0; trust != NULL && k < trust->count; k++) {
            enum assay_error error =
                x509_store_add(preflight->store, trust->entries[k].certificate.der, trust->entries[k].role, NULL);

            if (error != ASSAY_OK && error != ASSAY_ERR_DUPLICATE)
                problems_add(problems, settings->trust[i], 0, "%s", assay_error_text(error));
        }
        trust_free(trust);
    }
    if (preflight->store == NULL)
        problems_add(problems, "trust", 0, "out of memory");
    else if (revocation->mode != X509_REVOCATION_OFF && (revocation->crls != NULL || revocation->fetch))
        x509_store_set_crls(preflight->store, crls_load(crls, revocation->crls, &content, problems));
    text_free(&content);
    sections_policy(config, &preflight->policy);
    preflight->scopes = memory_alloc(sizeof(*preflight->scopes));
    preflight->scopes[0] = (struct probe_trust){preflight->store, &preflight->policy,
                                                (enum verify_properties)config->root.verify.properties};
}

static void use_section(struct preflight *preflight, struct section *section)
{
    const struct trust_section *trust = &section->data.trust;

    preflight->trust = section;
    preflight->scopes = memory_alloc(trust->scope_count * sizeof(*preflight->scopes));
    for (uint32_t i = 0; i < trust->scope_count; i++)
        preflight->scopes[i] =
            (struct probe_trust){trust->scopes[i].store, trust->scopes[i].policy, trust->scopes[i].properties};
}

static void trust_of_config(struct preflight *preflight, const struct config *config, struct crls *crls,
                            struct problems *problems)
{
    const struct verify_switches none = {0};
    struct trust *trust = trust_load_all(config, problems);
    struct section *section = trust != NULL ? section_build_trust(config, trust, &none, crls, problems) : NULL;

    if (section != NULL)
        use_section(preflight, section);
    trust_free(trust);
}

/* The most specific scope, as on a core. */
static const struct probe_trust *trust_for(const struct preflight *preflight, const struct entry *entry)
{
    if (preflight->trust == NULL)
        return preflight->scopes;
    return &preflight->scopes[x509_scope_find(&preflight->trust->data.trust,
                                              x509_scope_deployment(slice_text(entry->deployment)),
                                              slice_text(entry->host), entry->port)];
}

/* --- as which client ---------------------------------------------------------------------------------------------------- */

/* item NULL: without a certificate. */
static void add_client(struct preflight *preflight, const struct config *config,
                       const struct config_client_credential *item, struct problems *problems)
{
    const struct config_tls *tls = &config->root.tls;
    struct credentials_of *out = &preflight->clients[preflight->client_count];
    struct tls_context_settings settings = {.ciphers = tls->ciphers.origins,
                                            .version_min = tls->origins_min == 0 ? TLS_VERSION_1_2 : TLS_VERSION_1_3,
                                            .version_max = TLS_VERSION_1_3};
    struct text chain = {0}, key = {0};
    uint32_t line = config_line(config, item != NULL ? (const void *)&item->chain : &tls->ciphers.origins);
    const char *file = config->file, *fault = "cannot be read";
    enum assay_error error = ASSAY_OK;

    if (item != NULL) {
        error = text_read_file(&chain, item->chain, CREDENTIAL_FILE_MAX);
        if (error == ASSAY_OK)
            error = text_read_file(&key, item->key, CREDENTIAL_FILE_MAX);
        settings.chain_pem = text_slice(&chain);
        settings.key_pem = text_slice(&key);
        out->origins = &item->origins;
    }
    if (error == ASSAY_OK)
        error = probe_client_create(&settings, &out->client, &fault);
    if (error == ASSAY_OK)
        preflight->client_count++;
    else
        problems_add(problems, file, line, "%s%s%s", item != NULL ? item->chain : "", item != NULL ? ": " : "", fault);
    text_free(&chain);
    text_free_secret(&key);
}

static void make_clients(struct preflight *preflight, const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;

    preflight->ciphers = preflight_ciphers(config);
    preflight->clients = memory_alloc((root->client_credentials.count + 1) * sizeof(*preflight->clients));
    for (uint32_t i = 0; i < root->client_credentials.count; i++)
        add_client(preflight, config, &root->client_credentials.items[i], problems);
    add_client(preflight, config, NULL, problems);
}

/* As on a core: this host and port, this host, the default, none. */
static const struct probe_client *client_for(const struct preflight *preflight, const struct entry *entry)
{
    const struct probe_client *any_port = NULL, *fallback = &preflight->clients[preflight->client_count - 1].client;

    for (size_t i = 0; i + 1 < preflight->client_count; i++) {
        const struct credentials_of *item = &preflight->clients[i];

        for (uint32_t k = 0; k < item->origins->count; k++) {
            const struct config_origin *origin = &item->origins->items[k];

            if (origin->host[0] == '\0')
                fallback = &item->client;
            else if (strcmp(origin->host, entry->host) == 0 && origin->port == entry->port)
                return &item->client;
            else if (strcmp(origin->host, entry->host) == 0 && origin->port == 0)
                any_port = &item->client;
        }
    }
    return any_port != NULL ? any_port : fallback;
}

/* --- addresses ---------------------------------------------------------------------------------------------------------- */

static void add_target(struct preflight *preflight, const struct entry *entry, const struct assay_address *address,
                       const char *unresolved)
{
    struct probe_target target = {.node = entry->host,
                                  .deployment = entry->deployment,
                                  .type = entry->type,
                                  .unresolved = unresolved,
                                  .port = entry->port,
                                  .ours = client_for(preflight, entry),
                                  .trust = trust_for(preflight, entry)};

    if (x509_identity_from_host(slice_text(entry->host), &target.identity) != ASSAY_OK)
        return;
    if (address != NULL)
        target.address = *address;
    if (target.ours->certificate)
        target.bare = &preflight->clients[preflight->client_count - 1].client;
    if (preflight->target_count == preflight->target_room) {
        preflight->target_room = preflight->target_room > 0 ? 2 * preflight->target_room : 64;
        preflight->targets = memory_grow(preflight->targets, preflight->target_room * sizeof(*preflight->targets));
    }
    preflight->targets[preflight->target_count++] = target;
}

static bool is_own(const struct config *config, const struct assay_address *address)
{
    for (uint32_t i = 0; i < config->root.port.address.count; i++)
        if (address_equal(&config->root.port.address.items[i].address, address))
            return true;
    return false;
}

/* Each address of each origin; the data path refuses what can never be one (DESIGN 9), so the probe does. */
static void make_targets(struct preflight *preflight, const struct config *config, const struct names *names)
{
    for (size_t i = 0; i < preflight->entry_count; i++) {
        const struct entry *entry = &preflight->entries[i];
        struct assay_address literal;
        const struct name *name;

        if (address_parse(slice_text(entry->host), &literal) == ASSAY_OK) {
            bool refused = address_is_special(&literal) || is_own(config, &literal);

            add_target(preflight, entry, &literal, refused ? "this address cannot be an origin's" : NULL);
            continue;
        }
        name = names_find(names, slice_text(entry->host));
        for (uint32_t k = 0; name != NULL && k < name->count; k++)
            add_target(preflight, entry, &name->addresses[k], NULL);
        if (name == NULL || name->count == 0)
            add_target(preflight, entry, NULL,
                       arena_text(&preflight->arena, name != NULL ? name->error : "not resolved"));
    }
}

static void want_names(struct preflight *preflight, const struct config *config)
{
    struct names *names = &preflight->names;

    names_begin(names);
    for (size_t i = 0; i < preflight->entry_count; i++)
        names_want(names, slice_text(preflight->entries[i].host));
    for (uint32_t i = 0; i < config->root.dns.hosts.count; i++) {
        const struct config_host *host = &config->root.dns.hosts.items[i];
        struct name *name = names_at(names, slice_text(host->name));
        struct assay_address addresses[ROUTE_ADDRESSES_MAX];
        uint32_t count = 0;

        for (; count < host->addresses.count && count < ROUTE_ADDRESSES_MAX; count++)
            addresses[count] = host->addresses.items[count].address;
        names_answer(names, slice_text(host->name), addresses, count, NULL, 0);
        if (name != NULL)
            name->fixed = true;
    }
}

/* --- made --------------------------------------------------------------------------------------------------------------- */

static void take_config(struct preflight *preflight, const struct preflight_settings *settings,
                        struct problems *problems)
{
    const struct config *config = preflight->config;
    size_t before = problems->count;
    struct crls crls = {0};

    if (settings->config_file != NULL)
        check_values(config, problems);
    if (problems->count > before)
        return;
    take_cache(preflight, settings, config, &crls, problems);
    if (settings->trust_count > 0)
        trust_by_hand(preflight, settings, config, &crls, problems);
    else
        trust_of_config(preflight, config, &crls, problems);
    crls_free(&crls);
    make_clients(preflight, config, problems);
    if (settings->nodes_file != NULL) {
        read_nodes(preflight, settings->nodes_file, &settings->ports, problems);
    } else {
        struct section *access = section_build_access(config, 1, NULL, problems);

        if (access != NULL)
            add_configured(preflight, config, access->rules, &settings->ports);
        section_drop(access);
    }
}

struct preflight *preflight_open(const struct preflight_settings *settings, uint64_t now_s, struct problems *problems)
{
    struct preflight *preflight = create(settings, now_s);
    size_t before = problems->count;

    preflight->config =
        settings->config_file != NULL ? config_load(settings->config_file, problems) : config_defaults("the defaults");
    if (preflight->config != NULL)
        take_config(preflight, settings, problems);
    settle_entries(preflight);
    if (problems->count == before && preflight->entry_count == 0)
        problems_add(problems, settings->nodes_file != NULL ? settings->nodes_file : settings->config_file, 0,
                     "names no origin that is reached over https");
    if (problems->count == before && preflight->config != NULL) {
        want_names(preflight, preflight->config);
        preflight->dns = dns_create(preflight->config, problems);
    }
    if (preflight->dns != NULL)
        return preflight;
    preflight_free(preflight);
    return NULL;
}

static bool begin_probe(struct preflight *preflight)
{
    preflight->probe = probe_create(preflight->targets, preflight->target_count, &preflight->options);
    return preflight->probe != NULL;
}

struct preflight *preflight_of(const struct config *config, struct section *trust, const struct access_set *rules,
                               const struct names *names, const struct preflight_settings *settings,
                               bool (*skip)(const void *arg, const char *host, uint16_t port), const void *skip_arg,
                               uint64_t now_s, struct problems *problems)
{
    struct preflight *preflight = create(settings, now_s);
    size_t before = problems->count, kept = 0;

    use_section(preflight, section_take(trust));
    make_clients(preflight, config, problems);
    add_configured(preflight, config, rules, &settings->ports);
    settle_entries(preflight);
    for (size_t i = 0; i < preflight->entry_count; i++)
        if (skip == NULL || !skip(skip_arg, preflight->entries[i].host, preflight->entries[i].port))
            preflight->entries[kept++] = preflight->entries[i];
    preflight->entry_count = kept;
    if (problems->count == before)
        make_targets(preflight, config, names);
    if (problems->count == before && begin_probe(preflight))
        return preflight;
    preflight_free(preflight);
    return NULL;
}

/* --- turned ------------------------------------------------------------------------------------------------------------- */

/* False: every name has been answered. */
static bool resolve_turn(struct preflight *preflight, uint64_t now_ms, int wait_ms)
{
    struct pollfd sockets[DNS_SOCKETS_MAX];
    struct names *names = &preflight->names;
    size_t count;

    dns_ask(preflight->dns, names, now_ms);
    if (dns_settled(names))
        return false;
    count = dns_sockets(preflight->dns, sockets);
    poll(sockets, count, dns_timeout_ms(preflight->dns, names, now_ms, wait_ms));
    dns_process(preflight->dns, names, sockets, count, now_ms);
    return !dns_settled(names);
}

bool preflight_turn(struct preflight *preflight, uint64_t now_ms, int wait_ms)
{
    if (preflight->dns != NULL) {
        if (resolve_turn(preflight, now_ms, wait_ms))
            return true;
        dns_free(preflight->dns);
        preflight->dns = NULL;
        make_targets(preflight, preflight->config, &preflight->names);
        if (!begin_probe(preflight))
            return false;
    }
    return preflight->probe != NULL && probe_turn(preflight->probe, now_ms, wait_ms);
}

void preflight_progress(const struct preflight *preflight, size_t *done, size_t *total)
{
    *done = preflight->probe != NULL ? probe_done(preflight->probe) : 0;
    *total = preflight->probe != NULL ? preflight->target_count : 0;
}

json_t *preflight_ciphers(const struct config *config)
{
    const struct config_tls *tls = &config->root.tls;
    const char *string = tls->ciphers.origins;

    return json_pack("{s:s,s:b,s:s}", "string", string != NULL ? string : tls_ciphers_default_client, "default",
                     string == NULL, "lowest", tls->origins_min == 0 ? "1.2" : "1.3");
}

json_t *preflight_report(const struct preflight *preflight)
{
    json_t *out = preflight->probe != NULL ? probe_report(preflight->probe, preflight->targets, preflight->target_count,
                                                          preflight->options.now_s)
                                           : json_pack("{s:[],s:{}}", "rows", "summary");

    json_object_set(out, "ciphers", preflight->ciphers);
    if (preflight->crl_cache != NULL)
        json_object_set(out, "crl_cache", preflight->crl_cache);
    return out;
}
