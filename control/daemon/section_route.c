/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "access/clients.h"
#include "base/address.h"
#include "base/host.h"
#include "daemon/sections.h"
#include "x509/scope.h"

static struct access_clients *client_list(struct section *section, const struct config_prefixes *clients,
                                          const struct config_prefixes *trusted, struct problems *problems,
                                          const struct config *config)
{
    struct access_clients *out = NULL;
    enum assay_error error =
        access_clients_create(clients->items, clients->count, clients->any, trusted->items, trusted->count, &out);

    if (error != ASSAY_OK) {
        problems_add(problems, config->file, config_line(config, clients), "clients: %s", assay_error_text(error));
        return NULL;
    }
    section->client_lists =
        memory_grow(section->client_lists, (section->client_list_count + 1) * sizeof(*section->client_lists));
    section->client_lists[section->client_list_count++] = out;
    return out;
}

static void describe_prefixes(struct text *content, const struct config_prefixes *prefixes)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    text_printf(content, " [%s", prefixes->any ? "any" : "");
    for (uint32_t i = 0; i < prefixes->count; i++)
        text_printf(content, " %s/%u", address_format(&prefixes->items[i].address, text), prefixes->items[i].length);
    text_add_text(content, "]");
}

static void build_listeners(struct section *section, const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;
    struct route_section *out = &section->data.route;
    struct route_listener *rows = arena_alloc(&section->arena, root->listeners.count * sizeof(*rows));
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (uint32_t i = 0; i < root->listeners.count; i++) {
        const struct config_listener *item = &root->listeners.items[i];
        struct route_listener *row = &rows[i];

        row->address = item->address.set ? item->address.address : root->port.address.items[0].address;
        row->port = (uint16_t)item->port;
        row->tls = item->tls;
        row->clients = client_list(section, &item->clients, &item->trusted_peers, problems, config);
        if (item->trusted_peers.count > 0 || item->trusted_peers.any)
            row->trusted = client_list(section, &item->trusted_peers, &item->trusted_peers, problems, config);
        if (item->origin.host != NULL)
            row->origin_host = arena_text(&section->arena, item->origin.host);
        row->origin_port = item->origin.port;
        row->origin_https = item->origin.https;
        row->origin_deployment = arena_text(&section->arena, config_deployment_of(config, item->origin.host));
        row->origin_deployment_number = x509_scope_deployment(slice_text(row->origin_deployment));
        text_printf(&section->content, "listen %s %u %d", address_format(&row->address, text), row->port, row->tls);
        describe_prefixes(&section->content, &item->clients);
        describe_prefixes(&section->content, &item->trusted_peers);
        text_printf(&section->content, " %d %s %u %s\n", row->origin_https, row->origin_host ? row->origin_host : "-",
                    row->origin_port, row->origin_deployment);
    }
    out->listeners = rows;
    out->listener_count = root->listeners.count;
}

static void build_origins(struct section *section, const struct names *names)
{
    struct route_section *out = &section->data.route;
    struct route_origin *rows;
    char text[ASSAY_ADDRESS_TEXT_MAX];

    if (names == NULL)
        return;
    rows = arena_alloc(&section->arena, names->count * sizeof(*rows));
    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->items[i];
        struct route_origin *row = &rows[i];

        row->host = arena_text(&section->arena, name->host);
        row->address_count = name->count;
        memcpy(row->addresses, name->addresses, name->count * sizeof(name->addresses[0]));
        text_printf(&section->content, "origin %s", row->host);
        for (uint32_t k = 0; k < row->address_count; k++)
            text_printf(&section->content, " %s", address_format(&row->addresses[k], text));
        if (row->address_count == 0) {
            row->error = arena_text(&section->arena, name->error);
            text_printf(&section->content, " (%s)", row->error);
        }
        text_add_text(&section->content, "\n");
    }
    out->origins = rows; /* names are sorted by host */
    out->origin_count = (uint32_t)names->count;
}

static int by_domain(const void *a, const void *b)
{
    return strcmp(((const struct route_domain *)a)->domain, ((const struct route_domain *)b)->domain);
}

static void build_domains(struct section *section, const struct config *config)
{
    const struct config_root *root = &config->root;
    struct route_section *out = &section->data.route;
    struct route_domain *rows = arena_alloc(&section->arena, root->domains.count * sizeof(*rows));

    for (uint32_t i = 0; i < root->domains.count; i++) {
        const struct config_domain *item = &root->domains.items[i];

        rows[i] = (struct route_domain){
            .domain = arena_text(&section->arena, item->name),
            .host = item->edge_config.host != NULL ? arena_text(&section->arena, item->edge_config.host) : NULL,
            .port = item->edge_config.port,
            .https = item->edge_config.https,
            .deployment = arena_text(&section->arena, item->deployment),
            .deployment_number = x509_scope_deployment(slice_text(item->deployment))};
        text_printf(&section->content, "domain %s %s %u %d %s\n", rows[i].domain, rows[i].host ? rows[i].host : "-",
                    rows[i].port, rows[i].https, rows[i].deployment);
    }
    if (root->domains.count > 0)
        qsort(rows, root->domains.count, sizeof(*rows), by_domain);
    out->domains = rows;
    out->domain_count = root->domains.count;
}

static void build_own_addresses(struct section *section, const struct config *config)
{
    const struct config_interfaces *own = &config->root.port.address;
    struct assay_address *rows = arena_alloc(&section->arena, own->count * sizeof(*rows));
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (uint32_t i = 0; i < own->count; i++) {
        rows[i] = own->items[i].address;
        text_printf(&section->content, "own %s\n", address_format(&rows[i], text));
    }
    section->data.route.own_addresses = rows;
    section->data.route.own_address_count = own->count;
}

struct section *section_build_route(const struct config *config, const struct names *names, struct problems *problems)
{
    struct section *section = section_create(SECTION_ROUTE);
    size_t before = problems->count;

    build_listeners(section, config, problems);
    build_origins(section, names);
    build_domains(section, config);
    build_own_addresses(section, config);
    if (problems->count == before)
        return section;
    section_drop(section);
    return NULL;
}

/* --- names -------------------------------------------------------------------------------------------------------------- */

/* The host of scheme://authority[/path]. */
static void want_url(struct names *names, const char *url)
{
    const char *authority = strstr(url, "://");
    struct slice host;
    uint16_t port;

    if (authority == NULL)
        return;
    authority += 3;
    if (authority_parse(slice_of(authority, strcspn(authority, "/")), &host, &port) == ASSAY_OK)
        names_want(names, host);
}

static void want_text(struct names *names, const char *host)
{
    if (host != NULL)
        names_want(names, slice_text(host));
}

void sections_want_names(const struct config *config, const struct access_set *rules, const struct crls *crls,
                         struct names *names)
{
    const struct config_root *root = &config->root;

    names_begin(names);
    for (size_t i = 0; rules != NULL && i < access_set_count(rules); i++)
        want_url(names, access_set_at(rules, i)->url);
    for (uint32_t i = 0; i < root->nodes.count; i++)
        want_text(names, root->nodes.items[i].address);
    for (uint32_t i = 0; i < root->domains.count; i++)
        want_text(names, root->domains.items[i].edge_config.host);
    for (uint32_t i = 0; i < root->listeners.count; i++)
        want_text(names, root->listeners.items[i].origin.host);
    for (size_t i = 0; crls != NULL && i < crls->sources.count; i++)
        want_text(names, crls->sources.items[i]->at.host);
    names_sweep(names);
    for (uint32_t i = 0; i < root->dns.hosts.count; i++) {
        const struct config_host *host = &root->dns.hosts.items[i];
        struct name *name = names_at(names, slice_text(host->name));

        if (name != NULL)
            name->fixed = true;
    }
}
