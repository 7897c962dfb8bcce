/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/nodes.h"

#include <string.h>

const char *const probe_node_types[] = {"cucm", "imp", "unity", "tftp", NULL};

void probe_nodes_begin(struct probe_nodes_reader *reader, struct slice text)
{
    *reader = (struct probe_nodes_reader){.rest = text};
}

/* Up to the next such byte, or all; *text goes on behind it. */
static struct slice cut(struct slice *text, uint8_t end)
{
    const uint8_t *at = text->len > 0 ? memchr(text->data, end, text->len) : NULL;
    struct slice head = slice_head(*text, at != NULL ? (size_t)(at - text->data) : text->len);

    *text = slice_tail(*text, head.len + 1);
    return head;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next field of a line; empty at its end. */
static struct slice field(struct slice *line)
{
    size_t from = 0, len = 0;
    struct slice found;

    while (from < line->len && is_blank(line->data[from]))
        from++;
    *line = slice_tail(*line, from);
    while (len < line->len && !is_blank(line->data[len]))
        len++;
    found = slice_head(*line, len);
    *line = slice_tail(*line, len);
    return found;
}

enum assay_error probe_ports_parse(struct slice text, struct probe_ports *out)
{
    *out = (struct probe_ports){0};
    do {
        bool last = text.len == 0 || memchr(text.data, ',', text.len) == NULL, known = false;
        struct slice word = cut(&text, ',');
        uint16_t port;

        if (port_parse(word, &port) != ASSAY_OK || (!last && text.len == 0))
            return ASSAY_ERR_MALFORMED;
        for (size_t i = 0; i < out->count; i++)
            known = known || out->ports[i] == port;
        if (!known && out->count == PROBE_PORTS_MAX)
            return ASSAY_ERR_LIMIT;
        if (!known)
            out->ports[out->count++] = port;
    } while (text.len > 0);
    return ASSAY_OK;
}

static int type_of(struct slice word)
{
    for (int i = 0; probe_node_types[i] != NULL; i++)
        if (slice_is_nocase(word, probe_node_types[i]))
            return i;
    return -1;
}

static enum assay_error parse_host(struct slice word, struct probe_node *out)
{
    struct slice canonical;

    if (word.len > 2 && word.data[0] == '[' && word.data[word.len - 1] == ']')
        word = slice_of(word.data + 1, word.len - 2);
    if (host_canonical(word, out->host, &canonical) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    out->host[canonical.len] = '\0';
    return ASSAY_OK;
}

static enum assay_error parse_line(struct slice line, struct slice host, struct probe_node *out, const char **fault)
{
    struct slice word = field(&line);

    *out = (struct probe_node){.type = -1};
    *fault = "neither a host name nor an IP address";
    if (parse_host(host, out) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    out->type = type_of(word);
    if (out->type >= 0)
        word = field(&line);
    *fault = "expected ADDRESS [cucm|imp|unity|tftp] [PORT,PORT...]";
    if (word.len > 0 && probe_ports_parse(word, &out->ports) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    if (field(&line).len > 0)
        return ASSAY_ERR_MALFORMED;
    *fault = NULL;
    return ASSAY_OK;
}

enum assay_error probe_nodes_next(struct probe_nodes_reader *reader, struct probe_node *out, const char **fault)
{
    while (reader->rest.len > 0) {
        struct slice line = cut(&reader->rest, '\n'), host;

        line = cut(&line, '#');
        reader->line++;
        host = field(&line);
        if (host.len > 0)
            return parse_line(line, host, out, fault);
    }
    return ASSAY_ERR_NOT_FOUND;
}
