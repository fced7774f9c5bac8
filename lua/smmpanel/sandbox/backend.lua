--- The sandbox without a transport: what it answers to a request, with its faults, shapes, clock and counters.
-- Pure: the clock is passed in. nginx (`sandbox/server`) and the in-process transport (`sandbox/init`) carry
-- its answers to the client.
-- @module smmpanel.sandbox.backend

local faults = require "smmpanel.sandbox.faults"
local form = require "smmpanel.sandbox.form"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"
local panel = require "smmpanel.sandbox.panel"
local stats = require "smmpanel.sandbox.stats"

local backend = {}

local Backend = {}
Backend.__index = Backend

local ORDERS_MAX = 1000 -- listed by `orders`

---@class sandbox.request
---@field method string
---@field path string
---@field query? string
---@field head string the request line and all headers: the key must not be in it
---@field http string the HTTP version
---@field connection any equal for the requests of one connection
---@field headers table<string, string?> user_agent, content_type, accept_encoding
---@field read_body fun(): string? reads the body
---@field wait_late fun(seconds: number, carry_out: fun()): boolean? waits, also if the client is gone; true: it will
-- call `carry_out` itself when the client is long gone, and there is no answer

---@class sandbox.answer what a transport has to do
---@field close? "unread"|"fin"|"reset" ends the connection without an answer
---@field never? boolean no answer comes before the client has gone
---@field plan? sandbox.plan how the answer is sent
---@field status? integer
---@field type? string its content type
---@field body? string
---@field problem? string the URL asks for an unknown fault: an answer with status 400

--- Restores the initial state: orders, balances, clock, counters, faults.
function Backend:reset()
  self.offset, self.counts, self.windows, self.faults = 0, {}, {}, {}
  self.stats = stats.new()
  local options = { now = function() return self:now() end }
  for name, value in pairs(self.options) do options[name] = value end
  self.panel = panel.new(options)
end

--- The panel's clock.
---@return number seconds
function Backend:now()
  return self.clock() + self.offset
end

-- The faults and shapes that the request's path or query names, or else those set for all requests.
local function asked_faults(self, request, query)
  local fault = query.fault ~= "" and query.fault or nil
  local parts = { fault or request.path:match("^/fault/([^/]+)/") }
  parts[#parts + 1] = query.shape
  if query.language then parts[#parts + 1] = "language:" .. query.language end
  if parts[1] then return { text = table.concat(parts, ","), on = query.on } end
  return self.faults
end

-- The fields are in the body of a POST. Like most panels, this one also accepts them in the query of a GET.
local function fields_of(request, query)
  if request.method == "POST" then return form.read(request.read_body(), request.headers.content_type) end
  return query.action and query or {}
end

local function is_on(on, action)
  return not on or ("," .. on .. ","):find("," .. (action or "") .. ",", 1, true) ~= nil
end

local function plan_for(self, asked, name, action)
  local specs, problem = faults.parse(is_on(asked.on, action) and asked.text or nil)
  if problem then return nil, problem end
  self.counts[name] = self.counts[name] or {}
  return faults.plan(faults.due(specs, self.counts[name]))
end

local function limit(self, plan, fields, name)
  local id = name .. " " .. (fields.key or "")
  local headers, refused = faults.limited(self.windows, id, plan.limit, self:now())
  for header, value in pairs(headers) do plan.headers[header] = value end
  if refused then
    plan.answer = { status = 429, type = "application/json", body = '{"error":"Too many requests"}' }
  end
end

-- The action is carried out before any wait. Only the fault `late` carries it out after the wait, even if the client
-- has gone by then.
local function carry_out(self, request, plan, fields, name)
  local function act()
    local before = #self.panel.made
    local status, headers, body = self.panel:handle(fields, plan.shapes)
    stats.made(self.stats, name, #self.panel.made - before)
    return { plan = plan, status = plan.status or status, type = headers["Content-Type"], body = body }
  end
  if plan.late and request.wait_late(plan.late, act) then return { plan = plan, never = true, body = "" } end
  return act()
end

local function answer(self, request, plan, fields, name)
  if plan.limit then limit(self, plan, fields, name) end
  local result = { plan = plan, status = plan.status or 200, type = "application/json", body = "" }
  if plan.made or not (plan.answer or plan.close or plan.stream) then
    result = carry_out(self, request, plan, fields, name)
  end
  if plan.answer then
    result.status, result.type, result.body = plan.status or plan.answer.status, plan.answer.type, plan.answer.body
  end
  result.close = plan.close
  result.body = table.concat(plan.before) .. result.body .. table.concat(plan.after)
  return result
end

--- Answers a request to the panel's URL.
---@param request sandbox.request
---@return sandbox.answer
---@return string name under which the request is counted: for `finish`
function Backend:answer(request)
  local query = form.parse(request.query)
  local asked = asked_faults(self, request, query)
  local name = query.name or asked.text or ""
  stats.begin(self.stats, name, request.connection)
  local plan, problem
  if not asked.on then plan, problem = plan_for(self, asked, name) end
  if plan and plan.close == "unread" then return { close = "unread", plan = plan }, name end
  local fields = fields_of(request, query)
  stats.read(self.stats, name, fields, request)
  if asked.on then plan, problem = plan_for(self, asked, name, fields.action) end
  if not plan then return { problem = problem }, name end
  return answer(self, request, plan, fields, name), name
end

--- Counts a request as finished. Call it once for each call of `answer`.
---@param name string
function Backend:finish(name)
  stats.finish(self.stats, name)
end

--- A client followed a redirect, which is counted.
function Backend:count_maintenance()
  self.stats.maintenance = self.stats.maintenance + 1
end

-- ---- the controls ------------------------------------------------------------------------------

local function checked(value, sentence)
  return value or error(sentence, 0)
end

--- The counters of all requests, or of those with a name.
---@param name? string only the requests with this name
---@return table object
function Backend:report(name)
  local report = stats.report(self.stats, name)
  return name and report or report:set("wrong_keys", self.panel.wrong_keys)
end

--- The last orders placed, newest first, or those for one link.
---@param link? string
---@return table array
function Backend:orders(link)
  local list, made = {}, self.panel.made
  for i = #made, 1, -1 do
    local order = made[i]
    if #list < ORDERS_MAX and (not link or order.link == link) then
      list[#list + 1] = json.object("order", order.id, "service", order.service.id, "link", order.link,
        "quantity", order.quantity)
    end
  end
  return json.array(list)
end

--- Advances the panel's clock. Throws a sentence if `seconds` is not a number.
---@param seconds number
function Backend:advance(seconds)
  self.offset = self.offset + checked(tonumber(seconds), "advance needs seconds=N")
end

--- Sets the balance of an account. Throws a sentence if there is no such account or the balance is not a decimal.
---@param balance string
---@param name? string of the account (main)
function Backend:set_balance(balance, name)
  local account = checked(self.panel:account(name or "main"), "there is no such account")
  account.balance = checked(balance and money.parse(balance), "balance needs a decimal")
end

--- Sets the faults of every request that names none. Throws a sentence if one is unknown.
---@param list? string nil: no faults
---@param actions? string only for these, separated by commas
function Backend:set_faults(list, actions)
  faults.check(list)
  self.faults = { text = list, on = actions }
end

--- A new sandbox.
---@param options table as for `panel.new`, without the clock
---@param clock fun(): number seconds
---@return table
function backend.new(options, clock)
  local self = setmetatable({ options = options, clock = clock }, Backend)
  self:reset()
  return self
end

return backend
