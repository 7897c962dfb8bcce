-- SPDX-License-Identifier: GPL-3.0-or-later
-- For wrk: asks the targets given behind "--" in turn (the first may be "close": a new connection for each request), and prints
-- how often each status came: "status 200 1234".
local threads = {}
local targets = {}
local at = 0

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    seen = {}
    names = ""
    for i, target in ipairs(args) do
        if target == "close" then
            wrk.headers["Connection"] = "close"
        else
            table.insert(targets, wrk.format("GET", target))
        end
    end
    if #targets == 0 then
        table.insert(targets, wrk.format("GET"))
    end
end

function request()
    at = at % #targets + 1
    return targets[at]
end

function response(status)
    if seen[status] == nil then
        seen[status] = 0
        names = names .. status .. " "
    end
    seen[status] = seen[status] + 1
    _G["status_" .. status] = seen[status]
end

function done(summary)
    local total = {}
    for _, thread in ipairs(threads) do
        for name in string.gmatch(thread:get("names"), "%d+") do
            total[name] = (total[name] or 0) + thread:get("status_" .. name)
        end
    end
    for name, count in pairs(total) do
        print("status " .. name .. " " .. count)
    end
end
