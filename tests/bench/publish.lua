-- SPDX-License-Identifier: GPL-3.0-or-later
-- For wrk: each connection asks 10 to 30 ms after its last answer, so that a stall holds up only those whose time has come and the
-- others go on asking (with no pause, a slow answer would keep the next questions from being asked, and from being measured). At the
-- end the tail of the latencies, in milliseconds.
function delay()
    return math.random(10, 30)
end

function done(summary, latency)
    print(string.format("requests %d errors %d p50 %.3f p99 %.3f p99.9 %.3f max %.3f", summary.requests,
        summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.connect,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000, latency.max / 1000))
end
