--- The sandbox's own endpoint, `/control/...`: what tests ask it and tell it. Runs in nginx.
-- @module smmpanel.sandbox.server.control

local faults = require "smmpanel.sandbox.faults"
local form = require "smmpanel.sandbox.server.form"
local http = require "smmpanel.sandbox.server.http"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"
local shapes = require "smmpanel.sandbox.shapes"
local stats = require "smmpanel.sandbox.server.stats"

-- luacheck: globals ngx

local control = {}

local ORDERS_MAX = 1000

control.list = {}
local commands = {}

local function command(usage, what, work)
  control.list[#control.list + 1] = { name = usage, what = what }
  commands[usage:match("/control/?(%a*)")] = work
end

local function done()
  return json.object("ok", true)
end

local function checked(value, sentence)
  return value or error(sentence, 0)
end

command("GET /control/stats[?name=NAME]", "counts: requests, orders made, by action, connections, " ..
  "most requests at a time, the last 100 requests without the key; of all, or of those with `name=NAME`",
  function(query)
    local state = http.state()
    local report = stats.report(state.stats, query.name)
    return query.name and report or report:set("wrong_keys", state.panel.wrong_keys)
  end)

command("GET /control/orders[?link=LINK]", "the last 1000 orders made, or those of a link", function(query)
  local list = {}
  local made = http.state().panel.made
  for i = #made, 1, -1 do
    local order = made[i]
    if #list < ORDERS_MAX and (not query.link or order.link == query.link) then
      list[#list + 1] = json.object("order", order.id, "service", order.service.id, "link", order.link,
        "quantity", order.quantity)
    end
  end
  return json.array(list)
end)

command("POST /control/advance?seconds=N", "moves the panel's clock on", function(query)
  local state = http.state()
  state.offset = state.offset + checked(tonumber(query.seconds), "advance needs seconds=N")
  return done()
end)

command("POST /control/balance?account=NAME&balance=N", "sets the balance of an account (`main`)",
function(query)
  local account = checked(http.state().panel:account(query.account or "main"), "there is no such account")
  account.balance = checked(query.balance and money.parse(query.balance), "balance needs a decimal")
  return done()
end)

command("POST /control/faults?fault=LIST[&on=ACTIONS]", "faults for every request that names none; " ..
  "without `fault`: none", function(query)
  local specs, problem = faults.parse(query.fault)
  checked(not problem and faults.plan(specs), problem or "the faults do not work together")
  http.state().faults = { text = query.fault, on = query.on }
  return done()
end)

command("POST /control/reset", "everything as at the start: orders, balances, clock, counts, faults",
function()
  http.reset()
  return done()
end)

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

--- Answers a request to `/control/...`.
function control.serve()
  local name = ngx.var.uri:match("^/control/?(%a*)$")
  if name == "" then
    return say(200, "text/plain; charset=UTF-8", help())
  elseif not commands[name] then
    return say(404, "text/plain; charset=UTF-8", "sandbox: GET /control says what there is\n")
  end
  local ok, result = pcall(commands[name], form.parse(ngx.var.args))
  if not ok then
    return say(400, "text/plain; charset=UTF-8", "sandbox: " .. tostring(result) .. "\n")
  end
  return say(200, "application/json", json.encode(result) .. "\n")
end

return control
