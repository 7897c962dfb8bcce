/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The XDP program of a net_af_xdp port that is shared with the kernel (port.exception.xdp): what is for our addresses goes to our
 * socket of that queue, everything else to the kernel. XDP cannot give a frame to both: an ARP packet or neighbour discovery
 * that is about an address of ours is ours, all other is the kernel's.
 * Runs in the kernel, for each frame. The maps are filled by net/xdp.c; xsks_map by DPDK's driver.
 * Source: RFC 791, 826, 8200, 4861 §4.3-4.4; IEEE 802.1Q. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define QUEUES_MAX       64
#define ADDRESSES_MAX    64
#define VLAN_ID          0x0fff
#define ICMP6            58
#define NDP_SOLICITATION 135
#define NDP_ADVERTISING  136

struct vlan_tag {
    __be16 tci, type;
};

/* For Ethernet and IPv4. */
struct arp_ip4 {
    __be16 hardware, protocol;
    __u8 hardware_bytes, protocol_bytes;
    __be16 operation;
    __u8 sender_mac[ETH_ALEN], sender[4];
    __u8 target_mac[ETH_ALEN], target[4];
};

struct ndp_head {
    __u8 type, code;
    __be16 checksum;
    __u32 flags;
    struct in6_addr target;
};

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, QUEUES_MAX);
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ADDRESSES_MAX);
    __type(key, __be32);
    __type(value, __u8);
} our_ip4 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ADDRESSES_MAX);
    __type(key, struct in6_addr);
    __type(value, __u8);
} our_ip6 SEC(".maps");

/* [0]: our VLAN; 0: untagged. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} our_vlan SEC(".maps");

static __always_inline int is_our_ip4(__be32 address)
{
    return bpf_map_lookup_elem(&our_ip4, &address) != 0;
}

static __always_inline int is_our_ip6(const struct in6_addr *address)
{
    struct in6_addr key = *address;

    return bpf_map_lookup_elem(&our_ip6, &key) != 0;
}

static __always_inline int ip4_is_ours(const void *at, const void *end)
{
    const struct iphdr *ip = at;

    return (const void *)(ip + 1) <= end && is_our_ip4(ip->daddr);
}

static __always_inline int arp_is_ours(const void *at, const void *end)
{
    const struct arp_ip4 *arp = at;
    __be32 target;

    if ((const void *)(arp + 1) > end || arp->protocol != bpf_htons(ETH_P_IP) || arp->protocol_bytes != 4)
        return 0;
    __builtin_memcpy(&target, arp->target, sizeof(target));
    return is_our_ip4(target);
}

static __always_inline int ip6_is_ours(const void *at, const void *end)
{
    const struct ipv6hdr *ip = at;
    const struct ndp_head *ndp = (const void *)(ip + 1);

    if ((const void *)(ip + 1) > end)
        return 0;
    if (is_our_ip6(&ip->daddr))
        return 1;
    if (ip->nexthdr != ICMP6 || (const void *)(ndp + 1) > end)
        return 0;
    return (ndp->type == NDP_SOLICITATION || ndp->type == NDP_ADVERTISING) && is_our_ip6(&ndp->target);
}

SEC("xdp")
int assay_steer(struct xdp_md *context)
{
    const void *end = (const void *)(long)context->data_end, *at = (const void *)(long)context->data;
    const struct ethhdr *ether = at;
    __u32 zero = 0, vlan = 0, *wanted = bpf_map_lookup_elem(&our_vlan, &zero);
    __be16 type;
    int ours = 0;

    if ((const void *)(ether + 1) > end || wanted == 0)
        return XDP_PASS;
    type = ether->h_proto;
    at = ether + 1;
    if (type == bpf_htons(ETH_P_8021Q)) {
        const struct vlan_tag *tag = at;

        if ((const void *)(tag + 1) > end)
            return XDP_PASS;
        vlan = bpf_ntohs(tag->tci) & VLAN_ID;
        type = tag->type;
        at = tag + 1;
    }
    if (vlan != *wanted)
        return XDP_PASS;
    if (type == bpf_htons(ETH_P_IP))
        ours = ip4_is_ours(at, end);
    else if (type == bpf_htons(ETH_P_ARP))
        ours = arp_is_ours(at, end);
    else if (type == bpf_htons(ETH_P_IPV6))
        ours = ip6_is_ours(at, end);
    /* a queue that has no socket of ours: the kernel's, which will find that it has no such address */
    return ours ? (int)bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_PASS) : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
