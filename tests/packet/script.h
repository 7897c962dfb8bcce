/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PACKET_SCRIPT_H
#define ASSAY_TESTS_PACKET_SCRIPT_H
/* Packet scripts: what comes in, what must go out, and when, on a virtual clock. One command a line, "#" begins a comment.
 *
 *   set KEY VALUE          before anything else: a field of struct tcp_config (times in ms)
 *   listen                 port 443
 *   connect                to port 443 of the peer; the local port is learned from the SYN
 *   flow N                 from here on lines are about connection N (peer's port 50000+N)
 *   in FLAGS SEQ+LEN [ack N] [win N] [<OPTIONS>] [pieces N]   a segment comes in
 *   out FLAGS SEQ+LEN [ack N] [win N] [<OPTIONS>]  the next segment out is this one; fields left out are not compared
 *   after MIN-MAX out ...  the same, and it comes so many ms after the line before
 *   none                   nothing (more) has gone out
 *   wait MS                time passes
 *   hold / release         between them what comes in is one burst
 *   events LIST            what the application has been told since last asked, "-" for nothing, reason=NAME
 *   write N, read N, readable N, at_end 0|1, room N, shutdown, close, abort, accepted
 *   state NAME             of RFC 9293, or GONE when the handle is stale
 *   counter NAME N
 *   info FIELD N           srtt_us, rto_us, cwnd_bytes, ssthresh_bytes, snd_wnd_bytes, rcv_wnd_bytes, mss
 *   icmp TYPE CODE SEQ     an ICMP error about our segment with that sequence number
 *   result NAME            what the last connect returned
 *
 * FLAGS: any of S F R P A U, "." alone for none. Sequence numbers count from each side's SYN (0). Payload is a pattern of its
 * position, checked both ways. OPTIONS: mss N, wscale N, sackOK, sack A-B, ts VALUE ECHO ("." echoes our last), hex BYTES;
 * "mark_ts" keeps our last timestamp for an echo of "^". */
#include "rig.h"

/* Runs the script of a file. True when it holds; else prints file:line and what came instead. */
bool script_run(const char *path, struct rig_pools *pools);

#endif
