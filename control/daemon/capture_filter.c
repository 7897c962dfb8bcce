/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/capture_filter.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "daemon/arena.h"

/* The words of pcap-filter(7) that ask for nothing outside the frame. Not here: gateway (a name), protochain (loops), and what
 * needs a live interface (inbound, outbound, ifname). */
static const char *const words[] = {
    "host",         "net",       "mask",      "port",     "portrange", "src",      "dst",       "and",
    "or",           "not",       "ether",     "ip",       "ip6",       "arp",      "rarp",      "tcp",
    "udp",          "icmp",      "icmp6",     "sctp",     "vlan",      "proto",    "broadcast", "multicast",
    "less",         "greater",   "len",       "tcpflags", "tcp-fin",   "tcp-syn",  "tcp-rst",   "tcp-push",
    "tcp-ack",      "tcp-urg",   "tcp-ece",   "tcp-cwr",  "icmptype",  "icmpcode", "icmp-echo", "icmp-echoreply",
    "icmp-unreach", "icmp6type", "icmp6code",
};

static bool is_word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == ':' || c == '-';
}

static bool only(const char *text, size_t len, const char *characters)
{
    return strspn(text, characters) >= len;
}

/* A word of the language, a number, or an address. */
static bool is_known(const char *text, size_t len)
{
    if (only(text, len, "0123456789.-") ||
        (len > 2 && text[0] == '0' && only(text + 1, len - 1, "xX0123456789abcdefABCDEF")))
        return true;
    if (memchr(text, ':', len) != NULL)
        return only(text, len, "0123456789abcdefABCDEF:.");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == len && strncmp(words[i], text, len) == 0)
            return true;
    return false;
}

static bool check_words(const char *text, char *error, size_t error_size)
{
    while (*text != '\0') {
        size_t len = 0;

        while (is_word_character(text[len]))
            len++;
        if (len == 0) {
            if (strchr(" \t/[]()&|!=<>+-*%^", *text) == NULL) {
                snprintf(error, error_size, "'%c' (0x%02x) is no part of a filter",
                         isprint((unsigned char)*text) ? *text : '?', (unsigned)(unsigned char)*text);
                return false;
            }
            text++;
            continue;
        }
        if (!is_known(text, len)) {
            snprintf(error, error_size, "'%.*s' is no word of a filter: hosts, networks and ports are given as numbers",
                     (int)(len < 64 ? len : 64), text);
            return false;
        }
        text += len;
    }
    return true;
}

bool capture_filter_compile(const char *text, uint32_t snaplen, struct bpf_insn **out, char *error, size_t error_size)
{
    struct bpf_program program = {0};
    pcap_t *pcap;
    bool good;

    *out = NULL;
    if (strlen(text) > CAPTURE_FILTER_MAX) {
        snprintf(error, error_size, "a filter has at most %d characters", CAPTURE_FILTER_MAX);
        return false;
    }
    if (text[strspn(text, " \t")] == '\0')
        return true;
    if (!check_words(text, error, error_size))
        return false;
    pcap = pcap_open_dead(DLT_EN10MB, (int)snaplen);
    if (pcap == NULL) {
        snprintf(error, error_size, "libpcap: out of memory");
        return false;
    }
    good = pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!good)
        snprintf(error, error_size, "%s", pcap_geterr(pcap));
    else if (!(good = bpf_validate(program.bf_insns, (int)program.bf_len) != 0))
        snprintf(error, error_size, "libpcap made a program of it that is not valid");
    if (good) {
        *out = memory_alloc(program.bf_len * sizeof(**out));
        memcpy(*out, program.bf_insns, program.bf_len * sizeof(**out));
    }
    pcap_freecode(&program);
    pcap_close(pcap);
    return good;
}

void capture_filter_free(struct bpf_insn *filter)
{
    free(filter);
}
