/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "tls/ciphers.h"

/* A string that begins with one of them prefers that kind; what it excludes later on stays excluded (S8). */
static const char *const prefixes[PROBE_PREFERENCES] = {
    [TLS_PREFER_ECDSA] = "ECDHE-ECDSA-AES256-GCM-SHA384:", [TLS_PREFER_RSA] = "ECDHE-RSA-AES256-GCM-SHA384:"};

static enum assay_error create_versions(struct tls_context_settings settings, bool tls12, struct probe_client *out,
                                        enum tls_preference preference, const char **fault)
{
    struct tls_context **contexts = out->contexts[preference];
    enum assay_error error;

    settings.version_max = TLS_VERSION_1_3;
    error = tls_client_context_create(&settings, &contexts[PROBE_ALL_VERSIONS], fault);
    if (error != ASSAY_OK || !tls12 || settings.version_min > TLS_VERSION_1_2)
        return error;
    settings.version_max = TLS_VERSION_1_2;
    return tls_client_context_create(&settings, &contexts[PROBE_TLS12_ALONE], fault);
}

static enum assay_error create_other(struct tls_context_settings settings, const char *string, struct probe_client *out,
                                     const char **fault)
{
    enum tls_preference other = out->own == TLS_PREFER_RSA ? TLS_PREFER_ECDSA : TLS_PREFER_RSA;
    enum assay_error error;
    char *prefixed;

    if (asprintf(&prefixed, "%s%s", prefixes[other], string) < 0)
        return ASSAY_ERR_NO_MEMORY;
    settings.ciphers = prefixed;
    error = create_versions(settings, true, out, other, fault);
    free(prefixed);
    return error;
}

enum assay_error probe_client_create(const struct tls_context_settings *settings, struct probe_client *out,
                                     const char **fault)
{
    const char *string = settings->ciphers != NULL ? settings->ciphers : tls_ciphers_default_client;
    struct tls_ciphers ciphers;
    struct slice word;
    enum assay_error error = tls_ciphers_parse(string, &ciphers, &word);

    *out = (struct probe_client){.certificate = settings->chain_pem.len > 0};
    *fault = "ciphers: a word that is not known, or none is left";
    if (error != ASSAY_OK)
        return error;
    out->own = ciphers.preference;
    error = create_versions(*settings, ciphers.has_tls12, out, out->own, fault);
    /* with one kind of certificate alone there is nothing to prefer */
    if (error == ASSAY_OK && ciphers.has_rsa && ciphers.has_ecdsa)
        error = create_other(*settings, string, out, fault);
    if (error != ASSAY_OK)
        probe_client_free(out);
    return error;
}

void probe_client_free(struct probe_client *client)
{
    for (size_t i = 0; i < PROBE_PREFERENCES; i++)
        for (size_t k = 0; k < PROBE_VERSIONS; k++)
            tls_context_free(client->contexts[i][k]);
    *client = (struct probe_client){0};
}
