/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of nodes. Whatever it holds: reading ends, each line once; a node that is handed out has a canonical host and ports
 * that are ports, each once; and it reads the same again from its own spelling. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "probe/nodes.h"

static void check_node(const struct probe_node *node)
{
    char text[HOST_NAME_MAX + 1], line[2048];
    struct probe_nodes_reader reader;
    struct slice canonical;
    struct probe_node again;
    const char *fault;
    int len;

    FUZZ_CHECK(host_canonical(slice_text(node->host), text, &canonical) == ASSAY_OK);
    FUZZ_CHECK(slice_is(canonical, node->host));
    FUZZ_CHECK(node->ports.count <= PROBE_PORTS_MAX);
    len = snprintf(line, sizeof(line), "%s %s", node->host, node->type >= 0 ? probe_node_types[node->type] : "");
    for (size_t i = 0; i < node->ports.count; i++) {
        FUZZ_CHECK(node->ports.ports[i] != 0);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(node->ports.ports[k] != node->ports.ports[i]);
        len += snprintf(line + len, sizeof(line) - (size_t)len, "%c%u", i > 0 ? ',' : ' ', node->ports.ports[i]);
    }
    probe_nodes_begin(&reader, slice_of(line, (size_t)len));
    FUZZ_CHECK(probe_nodes_next(&reader, &again, &fault) == ASSAY_OK);
    FUZZ_CHECK(strcmp(again.host, node->host) == 0 && again.type == node->type);
    FUZZ_CHECK(memcmp(&again.ports, &node->ports, sizeof(again.ports)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_nodes_reader reader;
    struct probe_node node;
    const char *fault;
    enum assay_error error;
    size_t lines = 0;

    probe_nodes_begin(&reader, slice_of(data, size));
    while ((error = probe_nodes_next(&reader, &node, &fault)) != ASSAY_ERR_NOT_FOUND) {
        FUZZ_CHECK(reader.line > lines);
        lines = reader.line;
        FUZZ_CHECK(error == ASSAY_OK || (error == ASSAY_ERR_MALFORMED && fault != NULL));
        if (error == ASSAY_OK)
            check_node(&node);
    }
    FUZZ_CHECK(reader.rest.len == 0);
    return 0;
}
