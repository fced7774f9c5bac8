--- The sandbox panel in this process: a transport for `smmpanel.new`, without a server, a socket or a thread. For
-- tests of programs that use smmpanel.
--
--     local sandbox = smmpanel.sandbox { key = "test" }
--     local panel = smmpanel.new { url = sandbox.url, key = "test", transport = sandbox }
--     local made = assert(panel:add { service = 1, link = "https://example.com/p/1", quantity = 1000 })
--     sandbox:advance(3600)                                        -- an hour later
--     print(assert(panel:status(made.order)).status)               --> Completed
--
-- Faults and shapes come as in the sandbox on nginx: in the URL (`sandbox:url_with("lost@1")`) or for all requests
-- (`sandbox:set_faults("503")`). The list is in lua/smmpanel/sandbox/README.md.
-- @module smmpanel.sandbox

local backend = require "smmpanel.sandbox.backend"
local core = require "smmpanel.core"
local fault_list = require "smmpanel.sandbox.faults"
local form = require "smmpanel.sandbox.form"
local json = require "smmpanel.sandbox.panel.php_json"
local text = require "smmpanel.util.text"

local URL = "http://sandbox.invalid/api/v2" -- .invalid never resolves, so no request can be sent by mistake
local PIECE = 64 * 1024

-- ---- very large bodies -------------------------------------------------------------------------

-- Returns a function that yields a body in pieces: opening, `size` bytes of repeated pieces, closing.
local function repeated(opening, piece, size, closing)
  local block, left, step = piece:rep(math.ceil(PIECE / #piece)), size, 0
  return function()
    step = step + 1
    if step == 1 then return opening end
    if left > 0 then
      left = left - #block
      return block
    end
    local last = closing
    closing = nil
    return last
  end
end

local SERVICE = '{"service":1,"name":"Followers","rate":"0.90","min":"50"}'

local streams = {
  huge = function(size) return repeated("", " ", size, "{}") end,
  bomb = function(size) return repeated("", " ", size, "{}") end,
  ["huge-string"] = function(size) return repeated('{"error":"', "a", size, '"}') end,
  ["huge-list"] = function(size) return repeated("[" .. SERVICE, "," .. SERVICE, size, "]") end,
  deep = function(depth) return ("["):rep(depth) .. ("]"):rep(depth) end,
  ["deep-objects"] = function(depth) return ('{"a":'):rep(depth) .. "1" .. ("}"):rep(depth) end,
}

-- ---- an answer as the transport returns it -----------------------------------------------------

local NEVER = 1e9 -- seconds: longer than any deadline

local function part(answer)
  return answer.body:sub(1, answer.plan.pace or math.floor(#answer.body / 2))
end

local function failure(code, message, more)
  local failed = { code = code, message = message, sent = true }
  for name, value in pairs(more or {}) do failed[name] = value end
  return failed
end

local ways = {}

function ways.cut(answer, given)
  local missing = ("end of response with %d bytes missing"):format(#answer.body - #part(answer))
  return nil, failure("cut", missing, { status = given.status, headers = given.headers, body = part(answer),
    delay = given.delay })
end
ways["cut-chunked"] = ways.cut

function ways.stall(_, given)
  given.delay = NEVER
  return given
end
ways.drip = ways.stall

function ways.trickle(answer, given)
  given.delay = given.delay + #answer.body / answer.plan.pace
  return given
end

local function headers_of(answer)
  local headers = { ["Content-Type"] = answer.type }
  for name, value in pairs(answer.plan.headers) do headers[name] = value end
  return headers
end

local function delay_of(plan)
  return (plan.latency or 0) + (plan.jitter or 0) * math.random()
end

local function close(answer, delay)
  if answer.close == "reset" then return nil, failure("reset", "Connection reset by peer", { delay = delay }) end
  return nil, failure("reset", "Empty reply from server", { delay = delay })
end

local function deliver(answer, delay)
  if answer.problem then
    return { status = 400, headers = { ["Content-Type"] = "text/plain" }, body = "sandbox: " .. answer.problem .. "\n" }
  end
  if answer.never then return { status = 200, body = "", delay = NEVER } end
  local plan = answer.plan
  delay = delay + delay_of(plan)
  if answer.close then return close(answer, delay) end
  local given = { status = answer.status, headers = headers_of(answer), body = answer.body, delay = delay }
  if plan.retry_date then given.headers["Retry-After"] = tostring(plan.retry_date) end
  if plan.stream and plan.stream.kind == "bomb-nested" then
    return nil, failure("encoding", "the answer is encoded more than once", { status = given.status, delay = delay })
  end
  if plan.stream then given.body = streams[plan.stream.kind](plan.stream.size) end
  local way = ways[plan.way]
  if way then return way(answer, given) end
  return given
end

-- ---- the transport -------------------------------------------------------------------------------

---@class smmpanel.Sandbox
---@field url string for `smmpanel.new`
---@field key string of the account with money
---@field keys table<string, string> of the accounts main, second, empty and inactive
local Sandbox = {}
Sandbox.__index = Sandbox

local function header(request, wanted)
  for name, value in pairs(request.headers) do
    if text.lower(name) == wanted then return value end
  end
end

local function head_of(request)
  local lines = { request.url }
  for name, value in pairs(request.headers) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\n")
end

-- The counters count a request as in flight until its answer has arrived.
local function finish_due(self)
  local now = core.now()
  for index = #self.in_flight, 1, -1 do
    local entry = self.in_flight[index]
    if entry.till <= now then
      table.remove(self.in_flight, index)
      self.backend:finish(entry.name)
    end
  end
end

-- Carries out the actions of requests that have timed out, once the panel's clock reaches their time.
local function run_due(self)
  finish_due(self)
  local now = self.backend:now()
  for index = #self.deferred, 1, -1 do
    local entry = self.deferred[index]
    if entry.at <= now then
      table.remove(self.deferred, index)
      entry.carry_out()
    end
  end
end

local function request_of(self, request)
  local path, query = request.url:match "^%a+://[^/?#]*([^?#]*)%??([^#]*)"
  local late = { seconds = 0 }
  local made = {
    method = request.method, path = path, query = query, head = head_of(request), http = "1.1",
    connection = self, headers = { user_agent = header(request, "user-agent"),
      content_type = header(request, "content-type"), accept_encoding = header(request, "accept-encoding") },
    read_body = function() return request.body end,
  }
  function made.wait_late(seconds, carry_out)
    late.seconds = seconds
    if seconds < request.timeout then return false end
    table.insert(self.deferred, { at = self.backend:now() + seconds, carry_out = carry_out })
    return true
  end
  return made, late
end

--- Answers one request, as smmpanel.call.transport describes it.
---@param request table
---@return table? answer
---@return table? failure
function Sandbox:__call(request)
  run_due(self)
  local made, late = request_of(self, request)
  local answer, name = self.backend:answer(made)
  local given, failed = deliver(answer, late.seconds)
  local delay = math.min((given or failed).delay or 0, request.timeout)
  table.insert(self.in_flight, { till = core.now() + delay, name = name })
  return given, failed
end

--- Returns the URL with faults or shapes, and optionally a name under which `stats` counts its requests. Throws if a
-- fault is unknown.
---@param faults string such as "lost@1" or "503@2,latency:0.3"; "": no faults
---@param name? string
---@return string
function Sandbox:url_with(faults, name)
  fault_list.check(form.decode(faults))
  return self.url .. "?fault=" .. faults .. (name and "&name=" .. name or "")
end

--- Advances the panel's clock.
---@param seconds number
function Sandbox:advance(seconds)
  self.backend:advance(seconds)
  run_due(self)
end

--- Sets the balance of an account.
---@param balance string a decimal
---@param account? "main"|"second"|"empty"|"inactive" (main)
function Sandbox:set_balance(balance, account)
  self.backend:set_balance(balance, account)
end

--- Sets faults and shapes for every request whose URL names none. Throws where one is unknown.
---@param faults? string nil: no faults
---@param actions? string only for these, separated by commas
function Sandbox:set_faults(faults, actions)
  self.backend:set_faults(faults, actions)
end

--- Restores the initial state: orders, balances, clock, counters, faults.
function Sandbox:reset()
  self.deferred, self.in_flight = {}, {}
  self.backend:reset()
end

--- Returns the counters: requests, orders placed, requests by action, the most requests in flight at a time, the last
-- 100 requests without the key.
---@param name? string only the requests with this name
---@return table
function Sandbox:stats(name)
  run_due(self)
  return json.plain(self.backend:report(name))
end

--- Returns the last 1,000 orders, newest first, or those for one link.
---@param link? string
---@return { order: string, service: string, link: string?, quantity: integer? }[]
function Sandbox:orders(link)
  run_due(self)
  return json.plain(self.backend:orders(link))
end

-- Returns a clock of Unix time with the resolution of the monotonic clock.
local function clock()
  local begun = os.time() - core.now()
  return function() return begun + core.now() end
end

local function new_keys(options)
  local keys = { main = options.key or "sandbox-key" }
  for _, name in ipairs { "second", "empty", "inactive" } do
    keys[name] = options.keys and options.keys[name] or ("sandbox-%s"):format(name)
  end
  return keys
end

---@class smmpanel.SandboxOptions
---@field key? string the only key of the main account; without it every key is accepted
---@field keys? { second?: string, empty?: string, inactive?: string } of the other accounts
---@field services? integer the number of services in the catalogue (21)
---@field balance? string of the accounts main and second (100.84292)
---@field currency? string (USD)

--- Makes a sandbox.
---@param options? smmpanel.SandboxOptions
---@return smmpanel.Sandbox
return function(options)
  options = options or {}
  local self = setmetatable({ url = URL, keys = new_keys(options), deferred = {}, in_flight = {} }, Sandbox)
  self.key = self.keys.main
  self.backend = backend.new({ keys = self.keys, any_key = options.key == nil, services = options.services,
    balance = options.balance, currency = options.currency }, clock())
  return self
end
