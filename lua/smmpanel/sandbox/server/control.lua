--- The control endpoint of the sandbox, `/control/TOKEN/...`, for tests. Runs in nginx. A web page in a browser on this
-- machine can send requests here too. It does not know the token, and after DNS rebinding its `Host` is not loopback.
-- @module smmpanel.sandbox.server.control

local faults = require "smmpanel.sandbox.faults"
local form = require "smmpanel.sandbox.form"
local http = require "smmpanel.sandbox.server.http"
local json = require "smmpanel.sandbox.panel.php_json"
local shapes = require "smmpanel.sandbox.shapes"

-- luacheck: globals ngx

local control = {}

control.list = {}
local commands = {}

local function command(usage, what, work)
  control.list[#control.list + 1] = { name = usage, what = what }
  commands[usage:match("^%a+")] = work
end

command("stats[?name=NAME]", "counters: requests, orders placed, requests by action, connections, " ..
  "most requests in flight, the last 100 requests without the key; for all requests, or those with `name=NAME`",
  function(sandbox, query) return sandbox:report(query.name) end)

command("orders[?link=LINK]", "the last 1000 orders placed, or those for one link",
  function(sandbox, query) return sandbox:orders(query.link) end)

command("advance?seconds=N", "advances the panel's clock",
  function(sandbox, query) sandbox:advance(query.seconds) end)

command("balance?account=NAME&balance=N", "sets the balance of an account (`main`)",
  function(sandbox, query) sandbox:set_balance(query.balance, query.account) end)

command("faults?fault=LIST[&on=ACTIONS]", "faults for every request that names none; " ..
  "without `fault`: none", function(sandbox, query) sandbox:set_faults(query.fault, query.on) end)

command("reset", "restores the initial state: orders, balances, clock, counters, faults",
  function(sandbox) sandbox:reset() end)

local function section(title, list)
  local lines = { title }
  for _, entry in ipairs(list) do
    lines[#lines + 1] = ("  %-24s %s"):format(entry.name, entry.what)
  end
  return table.concat(lines, "\n")
end

local function help()
  return table.concat({ section("Controls", control.list), section("Faults", faults.list),
                        section("Shapes", shapes.list) }, "\n\n") .. "\n"
end

local function say(status, type, text)
  ngx.status = status
  ngx.header["Content-Type"] = type
  ngx.header["Content-Length"] = #text
  ngx.print(text)
end

local LOOPBACK = { ["127.0.0.1"] = true, localhost = true, ["[::1]"] = true }

local function refuse(status, text) return say(status, "text/plain; charset=UTF-8", "sandbox: " .. text .. "\n") end

--- Answers a request to `/control/...`.
function control.serve()
  local token, name = ngx.var.uri:match("^/control/(%x+)/?(%a*)$")
  if not LOOPBACK[((ngx.var.http_host or ""):gsub(":%d+$", ""))] then
    return refuse(403, "the controls accept only requests to a loopback address")
  elseif ngx.req.get_method() ~= "POST" then
    ngx.header.Allow = "POST"
    return refuse(405, "the controls accept only POST")
  elseif token ~= http.token then
    return refuse(403, "wrong token: use the control URL that was printed at the start")
  elseif name == "" then
    return say(200, "text/plain; charset=UTF-8", help())
  elseif not commands[name] then
    return refuse(404, "unknown control; a POST to the control URL itself lists them")
  end
  local ok, result = pcall(commands[name], http.sandbox(), form.parse(ngx.var.args))
  if not ok then
    return say(400, "text/plain; charset=UTF-8", "sandbox: " .. tostring(result) .. "\n")
  end
  return say(200, "application/json", json.encode(result or json.object("ok", true)) .. "\n")
end

return control
