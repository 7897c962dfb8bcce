/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_SEEN_H
#define ASSAY_CTL_SEEN_H
/* What is known of the certificates of origins, for `certs` and `ciphers explain`: what traffic showed (a running assayd's
 * registry) and what a preflight found: the daemon's last one, or, with a configuration, one that is run now.
 * Owner: the struct; seen_free(). Thread: any one. */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

struct seen {
    json_t *rows;    /* probe/report.h's; an empty array: no preflight was run */
    json_t *entries; /* GET /v1/registry's; an empty array: none, or no daemon was asked */
    json_t *ciphers; /* preflight_ciphers()'s */
};

struct seen_source {
    const char *socket;      /* of the daemon to ask */
    const char *config_file; /* not NULL: this configuration instead */
    bool probe;              /* with a configuration: connect to its origins */
};

/* CTL_OK, or the exit status, with the reason on err. */
int seen_gather(const struct seen_source *source, struct seen *out, FILE *err);
void seen_free(struct seen *seen);

#endif
