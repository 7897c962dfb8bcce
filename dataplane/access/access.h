/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_ACCESS_ACCESS_H
#define ASSAY_ACCESS_ACCESS_H
/* Decides whether a request may pass: an allow list of rules (MRA S16, S17; DESIGN 8), compiled per origin into Hyperscan
 * databases off the data path, scanned once a request.
 * Owner: a compiled set belongs to control's access section, immutable. Thread: built by control; decided on by core number
 * `core` with its own scratch, no two threads with the same number. Source: MRA S13-S17, DESIGN 8. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

enum access_match { ACCESS_MATCH_EXACT, ACCESS_MATCH_PREFIX };
enum access_source { ACCESS_SOURCE_MANUAL, ACCESS_SOURCE_AUTOMATIC };

enum access_node_type { ACCESS_NODE_CUCM, ACCESS_NODE_IMP, ACCESS_NODE_UNITY, ACCESS_NODE_TFTP };

struct access_rule {
    const char *url;        /* protocol://host[:port][/path] */
    const char *deployment; /* "1" where there is only one */
    uint32_t methods;       /* bits of enum access_method; 0: all */
    enum access_match match;
    enum access_source source;
    const char *description; /* automatic: "Automatically generated rule for CUCM server" */
    uint32_t line;           /* in its file; 0: automatic */
};

enum access_method {
    ACCESS_GET = 1 << 0,
    ACCESS_HEAD = 1 << 1,
    ACCESS_POST = 1 << 2,
    ACCESS_PUT = 1 << 3,
    ACCESS_DELETE = 1 << 4,
    ACCESS_OPTIONS = 1 << 5,
    ACCESS_PATCH = 1 << 6,
};

struct access_set; /* compiled */
struct access_builder;

struct access_builder *access_builder_create(void);
void access_builder_free(struct access_builder *builder);
/* Copies the rule. MALFORMED/RANGE/DUPLICATE with *fault a static text.
 * What a rule covers: scheme, host and port compare exactly (no port: 443, or 80). An exact rule covers its path with any
 * query, or with its own query alone. A prefix covers what continues it at the end of a segment ('/' or '?'), and if it has a
 * query, of a pair ('&'); one that ends in '/' covers all below, in '?', '&' or '=' all that follows, in '*' anything that
 * begins like it ("/CSF*"). A rule without a path covers all paths (prefix), or "/" (exact).
 * Of the rules that cover a request and allow its method decides: exact before prefix, longer before shorter, manual before
 * automatic, earlier before later. */
enum assay_error access_builder_add(struct access_builder *builder, const struct access_rule *rule, const char **fault)
    ASSAY_MUST_USE;
/* All automatic rules of a node (MRA S15, S16); never AXL (DESIGN 8). */
enum assay_error access_builder_add_node(struct access_builder *builder, enum access_node_type type, struct slice host,
                                         const char *deployment, const char **fault) ASSAY_MUST_USE;
/* The https ports of those rules; returns how many there are, of which at most max are written. */
size_t access_node_https_ports(enum access_node_type type, uint16_t *ports, size_t max);
/* S16's CSV with its header line; *fault_line is the line at fault (1-based), the whole file is refused. */
enum assay_error access_builder_add_csv(struct access_builder *builder, struct slice text, uint32_t *fault_line,
                                        const char **fault) ASSAY_MUST_USE;
/* Lists of paths that are as they were in previous are taken over, not compiled again (DESIGN 8). previous: alive until
 * finish; the set that follows does not need it. NULL: nothing to take over. */
void access_builder_reuse(struct access_builder *builder, const struct access_set *previous);
/* Compiles for `cores` cores. The builder stays the caller's, to be freed. RANGE (no cores), NO_MEMORY, INTERNAL. */
enum assay_error access_builder_finish(struct access_builder *builder, uint32_t cores, struct access_set **out)
    ASSAY_MUST_USE;
void access_set_free(struct access_set *set);
size_t access_set_count(const struct access_set *set);
const struct access_rule *access_set_at(const struct access_set *set, size_t i);

struct access_request {
    struct slice method;
    bool https;
    struct slice host; /* lower case; a name or an IP literal */
    uint16_t port;
    struct slice path;      /* path and query, normalised (access_normalise) */
    const char *deployment; /* rules of others allow nothing; NULL: of any */
};

struct access_decision {
    bool allowed;
    const struct access_rule *rule; /* what allowed it; valid as long as the set; NULL when refused */
    const char *reason; /* static: "In allow list", "Not in allow list", "Method not allowed by rule", … */
};
void access_decide(const struct access_set *set, uint32_t core, const struct access_request *request,
                   struct access_decision *out);
/* Whether any rule names this origin at all (for "unknown host" against "path not allowed" in counters). */
bool access_knows_origin(const struct access_set *set, bool https, struct slice host, uint16_t port);

/* S16's test file: what an operator expects of the allow list. */
struct access_test {
    const char *url;
    bool allow;             /* ExpectedResult */
    const char *deployment; /* "" where the row names none */
    const char *description;
    const char *method; /* GET where the row names none */
    uint32_t line;
};

struct access_tests; /* the rows of one file; owns their texts */

/* The header line is Url,ExpectedResult,Deployment,Description,HttpMethod. A fault refuses the whole file, *fault_line is its
 * line (1-based): MALFORMED, RANGE (ExpectedResult, method), NO_MEMORY. A URL whose path no request could have
 * (access_normalise) is a good row: such a request is blocked. */
enum assay_error access_tests_read(struct slice text, struct access_tests **out, uint32_t *fault_line,
                                   const char **fault) ASSAY_MUST_USE;
void access_tests_free(struct access_tests *tests);
size_t access_tests_count(const struct access_tests *tests);
const struct access_test *access_tests_at(const struct access_tests *tests, size_t i);
/* What a request of that row would get from core 0 of the set; of any deployment where the row names none. */
void access_test_decide(const struct access_set *set, const struct access_test *test, struct access_decision *out);

/* Refuses what could be read in two ways (dot segments, "//", backslash, encoded slash, dot, backslash, NUL, control
 * bytes, bad percent-encoding) with *why a static text: MALFORMED. What passed is what is matched and what is sent. */
enum assay_error access_normalise(struct slice path, const char **why) ASSAY_MUST_USE;

#endif
