/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "access/rules.h"

struct node_rule {
    enum access_node_type type;
    const char *scheme;
    uint16_t port;
    const char *path;
    uint32_t methods;
};

#define TFTP_METHODS (ACCESS_GET | ACCESS_HEAD)

/* What phones and clients ask of a node (MRA S15). A port that serves more than them is opened by path: 8443 and 443 carry
 * AXL and the administration as well, which no automatic rule may reach (DESIGN 8). "/cucm-uds/user/" stands beside
 * "/cucm-uds/" because a log names the longest rule, and analyzers look for this one (S21). */
static const struct node_rule node_rules[] = {
    {ACCESS_NODE_CUCM, "https", 8443, "/cucm-uds/user/", 0},
    {ACCESS_NODE_CUCM, "https", 8443, "/cucm-uds/", 0},
    {ACCESS_NODE_CUCM, "https", 443, "/cucm-uds/user/", 0},
    {ACCESS_NODE_CUCM, "https", 443, "/cucm-uds/", 0},
    {ACCESS_NODE_CUCM, "http", 6970, "/", TFTP_METHODS},
    {ACCESS_NODE_CUCM, "https", 6971, "/", TFTP_METHODS},
    {ACCESS_NODE_CUCM, "https", 6972, "/", TFTP_METHODS},
    {ACCESS_NODE_CUCM, "https", 9444, "/", 0},
    {ACCESS_NODE_TFTP, "http", 6970, "/", TFTP_METHODS},
    {ACCESS_NODE_TFTP, "https", 6971, "/", TFTP_METHODS},
    {ACCESS_NODE_TFTP, "https", 6972, "/", TFTP_METHODS},
    {ACCESS_NODE_IMP, "https", 8443, "/EPASSoap/", 0},
    {ACCESS_NODE_IMP, "https", 7336, "/", 0},
    {ACCESS_NODE_UNITY, "https", 8443, "/vmrest/", 0},
    {ACCESS_NODE_UNITY, "https", 443, "/vmrest/", 0},
    {ACCESS_NODE_UNITY, "http", 7080, "/", 0},
    {ACCESS_NODE_UNITY, "https", 7443, "/", 0},
};

static const char *const descriptions[] = {
    [ACCESS_NODE_CUCM] = "Automatically generated rule for CUCM server",
    [ACCESS_NODE_IMP] = "Automatically generated rule for IM&P server",
    [ACCESS_NODE_UNITY] = "Automatically generated rule for Unity server",
    [ACCESS_NODE_TFTP] = "Automatically generated rule for TFTP server",
};

static enum assay_error add_one(struct access_builder *builder, const struct node_rule *node, struct slice host,
                                bool ip6, const char *deployment, const char **fault)
{
    char url[HOST_NAME_MAX + 64];
    struct access_rule rule = {.url = url,
                               .deployment = deployment,
                               .methods = node->methods,
                               .match = ACCESS_MATCH_PREFIX,
                               .source = ACCESS_SOURCE_AUTOMATIC,
                               .description = descriptions[node->type]};
    enum assay_error error;

    snprintf(url, sizeof(url), "%s://%s%.*s%s:%u%s", node->scheme, ip6 ? "[" : "", (int)host.len,
             (const char *)host.data, ip6 ? "]" : "", (unsigned)node->port, node->path);
    error = access_builder_add(builder, &rule, fault);
    /* A publisher that serves TFTP too, or a node listed by two clusters: its rules are there already. */
    return error == ASSAY_ERR_DUPLICATE ? ASSAY_OK : error;
}

enum assay_error access_builder_add_node(struct access_builder *builder, enum access_node_type type, struct slice host,
                                         const char *deployment, const char **fault)
{
    char text[HOST_NAME_MAX + 1];
    struct slice canonical;
    size_t before = builder->count;

    *fault = "bad host";
    if (host_canonical(host, text, &canonical) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < sizeof(node_rules) / sizeof(node_rules[0]); i++) {
        bool ip6 = memchr(canonical.data, ':', canonical.len) != NULL;
        enum assay_error error;

        if (node_rules[i].type != type)
            continue;
        error = add_one(builder, &node_rules[i], canonical, ip6, deployment, fault);
        if (error != ASSAY_OK) {
            access_builder_truncate(builder, before);
            return error;
        }
    }
    *fault = "";
    return ASSAY_OK;
}

size_t access_node_https_ports(enum access_node_type type, uint16_t *ports, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof(node_rules) / sizeof(node_rules[0]); i++) {
        const struct node_rule *rule = &node_rules[i];
        bool again = i > 0 && node_rules[i - 1].type == type && node_rules[i - 1].port == rule->port;

        if (rule->type != type || again || strcmp(rule->scheme, "https") != 0)
            continue;
        if (count < max)
            ports[count] = rule->port;
        count++;
    }
    return count;
}
