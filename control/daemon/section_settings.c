/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <unistd.h>

#include "daemon/sections.h"

/* Our pseudonym in Via: the host's name, or one that is never empty. */
static const char *via_name(const struct config *config, struct arena *arena)
{
    char host[256] = "";

    if (config->root.via != NULL)
        return arena_text(arena, config->root.via);
    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        return arena_text(arena, "assay");
    return arena_text(arena, host);
}

static void set_limits(struct settings_section *out, const struct config_limits *limits)
{
    out->head_max_bytes = (uint32_t)limits->head_max;
    out->target_max_bytes = (uint32_t)limits->target_max;
    out->fields_max = (uint32_t)limits->fields_max;
    out->request_body_max_bytes = limits->request_body_max;
    out->handshakes_max = (uint32_t)limits->handshakes_max;
    out->clients_max = (uint32_t)limits->clients_max;
    out->origin_connections_max = (uint32_t)limits->origin_connections_max;
    out->origin_queue_max = (uint32_t)limits->origin_queue_max;
    out->requests_per_connection_max = (uint32_t)limits->requests_per_connection_max;
}

static void set_timeouts(struct settings_section *out, const struct config_timeouts *timeouts)
{
    out->client_handshake_us = timeouts->client_handshake;
    out->client_head_us = timeouts->client_head;
    out->client_idle_us = timeouts->client_idle;
    out->client_body_us = timeouts->client_body;
    out->client_send_us = timeouts->client_send;
    out->origin_connect_us = timeouts->origin_connect;
    out->origin_queue_us = timeouts->origin_queue;
    out->origin_head_us = timeouts->origin_head;
    out->origin_body_us = timeouts->origin_body;
    out->origin_idle_us = timeouts->origin_idle;
    out->drain_us = timeouts->drain;
}

struct section *section_build_settings(const struct config *config, struct problems *problems)
{
    struct section *section = section_create(SECTION_SETTINGS);
    struct settings_section *out = &section->data.settings;

    out->via_name = via_name(config, &section->arena);
    set_limits(out, &config->root.limits);
    set_timeouts(out, &config->root.timeouts);
    out->log_requests = config->root.log.requests;
    out->maintenance = config->root.maintenance;
    text_printf(&section->content, "%s\n%d %d\n", out->via_name, out->log_requests, out->maintenance);
    /* whole numbers without padding */
    text_add(&section->content, &config->root.limits, sizeof(config->root.limits));
    text_add(&section->content, &config->root.timeouts, sizeof(config->root.timeouts));
    return section;
}
