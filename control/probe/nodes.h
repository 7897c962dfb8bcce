/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROBE_NODES_H
#define ASSAY_PROBE_NODES_H
/* Lists of nodes and ports as operators write them. A file has a node on each line:
 *     ADDRESS [cucm|imp|unity|tftp] [PORT,PORT…]      # comment
 * fields apart by blanks or tabs; empty lines are skipped; lines may end in CR LF. Without ports those of the type are meant.
 * Pure, no allocation: what is handed out lies in the caller's struct. Errors: MALFORMED, with *fault a static text and the
 * reader at the faulty line; the next call goes on behind it. */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/host.h"
#include "base/slice.h"

#define PROBE_PORTS_MAX 32

struct probe_ports {
    size_t count;
    uint16_t ports[PROBE_PORTS_MAX];
};

struct probe_node {
    char host[HOST_NAME_MAX + 1]; /* canonical */
    int type;                     /* index into probe_node_types; -1: none was given */
    struct probe_ports ports;     /* none: those of the type */
};

struct probe_nodes_reader {
    struct slice rest;
    size_t line; /* of what was read last, from 1 */
};

/* In the order of enum access_node_type; NULL at the end. */
extern const char *const probe_node_types[];

void probe_nodes_begin(struct probe_nodes_reader *reader, struct slice text);
/* NOT_FOUND: the end. */
enum assay_error probe_nodes_next(struct probe_nodes_reader *reader, struct probe_node *out, const char **fault)
    ASSAY_MUST_USE;
/* "8443,6972": at least one; a port named twice counts once. MALFORMED, LIMIT. */
enum assay_error probe_ports_parse(struct slice text, struct probe_ports *out) ASSAY_MUST_USE;

#endif
