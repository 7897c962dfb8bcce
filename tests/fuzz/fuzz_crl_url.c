/* SPDX-License-Identifier: GPL-3.0-or-later */
/* URLs of CRLs as certificates and servers (redirections) give them: one reading, which reads the same again, and in which
 * libcurl, which gets it, sees the same host and port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/crl_url.h" /* first: the C library has a HOST_NAME_MAX too */

#include <curl/curl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(CURLU *curl, CURLUPart part, const char *expected)
{
    char *value = NULL;

    if (curl_url_get(curl, part, &value, CURLU_DEFAULT_PORT) != CURLUE_OK || strcmp(value, expected) != 0)
        abort();
    curl_free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crl_url url, again;
    char host[sizeof(url.host) + 2], port[8];
    CURLU *curl;

    if (crl_url_parse(slice_of(data, size), &url) != ASSAY_OK)
        return 0;
    if (crl_url_parse(slice_text(url.text), &again) != ASSAY_OK || memcmp(&url, &again, sizeof(url)) != 0)
        abort();
    curl = curl_url();
    if (curl == NULL)
        return 0;
    if (curl_url_set(curl, CURLUPART_URL, url.text, 0) == CURLUE_OK) {
        snprintf(host, sizeof(host), strchr(url.host, ':') != NULL ? "[%s]" : "%s", url.host);
        snprintf(port, sizeof(port), "%u", url.port);
        check_part(curl, CURLUPART_HOST, host);
        check_part(curl, CURLUPART_PORT, port);
        check_part(curl, CURLUPART_SCHEME, url.https ? "https" : "http");
    }
    curl_url_cleanup(curl);
    return 0;
}
