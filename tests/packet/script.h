/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PACKET_SCRIPT_H
#define ASSAY_TESTS_PACKET_SCRIPT_H
/* Packet scripts: what comes in, what must go out, and when, on a virtual clock. One command a line, "#" begins a comment.
 *
 *   set KEY VALUE          before anything else: a field of struct tcp_config (times in ms)
 *   isn us|peer N          before anything else: that side's SYN has this number; "us" is that of flow 0's passive open, and
 *                          moves the clock to where it comes about; "us N active": of flow 0's active open
 *   listen                 port 443
 *   connect                to port 443 of the peer; the local port is learned from the SYN
 *   flow N                 from here on lines are about connection N (peer's port 50000+N)
 *   in FLAGS SEQ+LEN [ack N] [win N] [<OPTIONS>] [ect|ce] [pieces N]   a segment comes in
 *   out FLAGS SEQ+LEN [ack N] [win N] [<OPTIONS>] [ect]  the next segment out is this one; fields left out are not compared
 *   after MIN-MAX out ...  the same, and it comes so many ms after the line before
 *   burst SEQ+LEN MSS [push] [ect]   the next segments out are these bytes, MSS in each, PSH on the last
 *   none                   nothing (more) has gone out
 *   wait MS                time passes
 *   hold / release         between them what comes in is one burst
 *   events LIST            what the application has been told since last asked, "-" for nothing, reason=NAME
 *   write N, read N, readable N, at_end 0|1, room N, shutdown, close, abort, accepted
 *   state NAME             of RFC 9293, or GONE when the handle is stale
 *   counter NAME N
 *   info FIELD N[-M]       srtt_us, rttvar_us, rto_us, cwnd_bytes, ssthresh_bytes, snd_wnd_bytes, rcv_wnd_bytes, mss, mtu
 *   iss N                  the number of our SYN (flow's latest)
 *   icmp TYPE CODE SEQ [mtu N]   an ICMP error about our segment with that sequence number
 *   result NAME            what the last connect returned
 *
 * Tables of cases:
 *   fresh                  a case of its own: a new stack, new connections, default settings
 *   let NAME N [+|- N]...  "$NAME" stands for the sum from here on
 *   each NAME in WORD...   what follows, up to its "end", once for each word, which "$NAME" stands for
 *   macro NAME             what follows, up to its "end", is what "use NAME ARGUMENTS" does; $1, $2 ... are the arguments
 *   include FILE           the macros of FILE, beside the script
 *
 * FLAGS: any of S F R P A U E C, "." alone for none. Sequence numbers count from each side's SYN (0). Payload is a pattern of its
 * position, checked both ways. OPTIONS: mss N, wscale N, sackOK, sack A-B, ts VALUE ECHO ("." echoes our last), hex BYTES;
 * ect, ce: what the ECN bits of the IP header say, ECT(0) or a mark; without them they are 0. "mark_ts" keeps our last timestamp for an echo of "^". A segment in may have "urg N", its urgent pointer. After each line
 * the books of the stack must balance (invariants.h). */
#include "rig.h"

/* Runs the script of a file. True when it holds; else prints file:line and what came instead. */
bool script_run(const char *path, struct rig_pools *pools);

#endif
