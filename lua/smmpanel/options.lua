--- Checks the options of `smmpanel.new` and of a call. Pure. A wrong option throws; no message contains the key.
-- @module smmpanel.options

local options = {}

local checks = require "smmpanel.util.checks"
local decimal = require "smmpanel.util.lazy" "smmpanel.util.decimal"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

---@class smmpanel.Options
---@field url string the panel's full API URL, http or https; nothing is appended to it
---@field key string
---@field timeout? number seconds for a whole call, retries included (60)
---@field connect_timeout? number seconds (10)
---@field retries? integer attempts after the first (2)
---@field concurrency? integer requests in flight in a batch (8)
---@field batch_size? integer ids in one request (100)
---@field rate? number requests per second (no limit)
---@field decimals? "number"|"string" the Lua type of amounts of money (number)
---@field max_body? integer bytes of an answer after decompression (64 MiB)
---@field proxy? string URL of a proxy (from the environment: `https_proxy`, `http_proxy` and `no_proxy`)
---@field ca_file? string path of the trusted CA certificates, in PEM (the system's)
---@field crl_file? string path of certificate revocation lists, in PEM: one for each issuer of the chain (none)
---@field headers? table<string, string>|string[] name -> value, or "Name: value" lines
---@field user_agent? string
---@field loop? "auto"|string|table the event loop: see smmpanel.loop (auto)
---@field on_event? fun(event: smmpanel.Event) called at the start, after each attempt, before each wait, at the end
---@field record? string|fun(line: table) the wire log: path of a file, or a function that receives each line
---@field error_codes? table<string, string> part of a panel's error text -> code; precedes the built-in texts
---@field order_states? table<string, string> a panel's state -> open, completed, partial, canceled or failed
---@field transport? fun(request: table): table?, table? replaces the network: see smmpanel.call.transport
---@field ledger? smmpanel.Ledger stores the orders that have a ref: see smmpanel.ledger
---@field idempotency_field? string the form field that this panel uses as an idempotency key. `add` sends its `ref`
-- in it, and is then retried like a read when the response was lost
---@field account? string a name for this account in the ledger: see smmpanel.ledger (a hash of the key)
---@field limiter? smmpanel.Limiter a rate limit shared with other processes: see smmpanel.limiter

---@class smmpanel.CallOptions
---@field timeout? number seconds
---@field retries? integer
---@field decimals? "number"|"string"
---@field headers? table<string, string>|string[] added to the panel's headers; replaces those of the same name
---@field concurrency? integer lists only
---@field batch_size? integer lists only
---@field on_progress? fun(done: integer, total: integer) lists only, in ids
---@field list? boolean lists only: return an array in the order of the ids, each entry with its id; for JSON
---@field on_answer? fun(id: smmpanel.Id, record: table?, entry: smmpanel.Entry?) lists only: receives each answer as
-- it arrives, in the order of the ids. The list of ids may then be a function that returns the next id, or nil
---@field max_cost? number|string `add` and `add_all` only: the most that this order, or this run, may cost, at the
-- catalogue's rates. An order with an unknown price counts as too expensive
---@field ref? string|integer `add` only, needs a ledger: your own id of this order, which is placed at most once

local callable, integer, line, rate, seconds =
  checks.callable, checks.integer, checks.line, checks.rate, checks.seconds

local function url(value)
  local wrong = line(value)
  if wrong then return wrong end
  local scheme, authority = value:match("^(%a+)://([^/?#]+)")
  local known = scheme and (text.lower(scheme) == "http" or text.lower(scheme) == "https")
  local right = known and not value:find(" ", 1, true) and authority:gsub("^.*@", ""):find("^[^:]")
  return not right and "a URL with http:// or https://, a host and no spaces" or nil
end

local function flag(value)
  return type(value) ~= "boolean" and "true or false" or nil
end

local function one_of(...)
  local words, known = { ... }, {}
  for _, word in ipairs(words) do known[word] = true end
  local said = "'" .. table.concat(words, "' or '") .. "'"
  return function(value) return not known[value] and said or nil end
end

local function loop(value)
  local right = type(value) == "table" or type(value) == "string" and value ~= ""
  return not right and "'auto', a loop's name or a loop's table" or nil
end

-- Checks for an object with these methods, built in or the user's.
local function object(methods, constructors)
  return function(value)
    local kind = type(value)
    if kind ~= "table" and kind ~= "userdata" then return constructors end
    for _, name in ipairs(methods) do
      if type(value[name]) ~= "function" then return ("%s, with a method '%s'"):format(constructors, name) end
    end
  end
end

local ledger = object({ "identity", "take", "find", "keep", "free", "doubt", "resolve", "pending", "adopt",
  "attempts", "note", "made" }, "a ledger (smmpanel.ledger.sqlite, smmpanel.ledger.redis or your own)")
local limiter = object({ "reserve", "hold" }, "a limiter (smmpanel.limiter.redis or your own)")

-- The client sets the headers that describe the body; a length or type from the user would contradict it.
local OURS = { ["content-type"] = true, ["content-length"] = true, ["transfer-encoding"] = true }

local function header(name, value)
  if type(name) ~= "string" or not name:find("^[%w!#$&'*+.^_`|~%%-]+$") then return nil end
  if type(value) ~= "string" or text.has_control(value) or OURS[text.lower(name)] then return nil end
  return name .. ": " .. text.trim(value)
end

-- Returns "Name: value" lines, sorted if the input is a map; nil if one of them is wrong.
local function header_lines(headers)
  local lines = {}
  for key, entry in pairs(headers) do
    local name, value = key, entry
    if type(key) == "number" and type(entry) == "string" then
      name, value = entry:match("^([^:]*):(.*)$")
    end
    local made = header(name, value)
    if not made then return nil end
    lines[#lines + 1] = made
  end
  table.sort(lines)
  return lines
end

local function headers(value)
  local right = type(value) == "table" and header_lines(value)
  return not right and "a table of names and values, in ASCII without line breaks, "
    .. "without Content-Type, Content-Length and Transfer-Encoding" or nil
end

-- Checks a table of the user's: a panel's text -> our code.
local function words(known, right)
  return function(value)
    if type(value) ~= "table" then return right end
    for said, meaning in pairs(value) do
      local wrong = type(said) ~= "string" or text.trim(said) == "" or type(meaning) ~= "string" or meaning == ""
      if wrong or known and not known[meaning] then return right end
    end
  end
end

local error_codes = words(nil, "a table of parts of error texts and their codes: { [\"out of money\"] = \"no_funds\" }")
local order_states = words({ open = true, completed = true, partial = true, canceled = true, failed = true },
  "a table of states and their classes (open, completed, partial, canceled or failed): { [\"baking\"] = \"open\" }")

local count = integer(1, 4096)

local function age(value)
  local right = type(value) == "number" and value >= 0
  return not right and "a number of seconds from 0 up" or nil
end

local function path_or_function(value)
  return line(value) and callable(value) and "a file's path or a function" or nil
end

local function money(value)
  return not decimal.parse(value) and "an amount of money: a number or its text" or nil
end

-- A field that every request has cannot carry the ref.
local function form_field(value)
  local right = type(value) == "string" and value:find "^[%w_.%-]+$" and value ~= "key" and value ~= "action"
  return not right and "the name of a form field, in letters, digits, _, . and -, other than key and action" or nil
end

local PANEL = {
  url = url, key = line, timeout = seconds, connect_timeout = seconds, retries = integer(0, 100),
  concurrency = count, batch_size = integer(1, 10000), rate = rate, decimals = one_of("number", "string"),
  max_body = integer(1, 2 ^ 40), proxy = line, ca_file = line, crl_file = line, headers = headers,
  user_agent = line, loop = loop, on_event = callable, ledger = ledger, limiter = limiter,
  record = path_or_function, transport = callable,
  error_codes = error_codes, order_states = order_states, account = checks.name,
  idempotency_field = form_field,
}

-- Adds the options of one function to those that every call accepts.
local function with(more)
  local all = { timeout = seconds, retries = PANEL.retries, decimals = PANEL.decimals, headers = headers }
  for name, check in pairs(more) do all[name] = check end
  return all
end

local CALL = with {}
local SERVICES = with { cache = line, max_age = age }
local ADD = with { ref = checks.ref, max_cost = money }
local ADD_ALL = with { concurrency = count, on_progress = callable, on_answer = callable,
  stop_after = integer(1, 2 ^ 31), max_cost = money }
local LIST = with { concurrency = count, batch_size = PANEL.batch_size, on_progress = callable,
  on_answer = callable, list = flag }
local WATCH = with {
  interval = seconds, on_change = callable, name = checks.name, wait_for_more = flag, concurrency = count,
  batch_size = PANEL.batch_size,
}

local DEFAULTS = {
  timeout = 60, connect_timeout = 10, retries = 2, concurrency = 8, batch_size = 100,
  decimals = "number", max_body = 64 * 1024 * 1024, loop = "auto",
}

--- Checks the options of `smmpanel.new` and fills in the defaults.
---@param given smmpanel.Options
---@return table
function options.panel(given)
  local where = "smmpanel.new"
  checks.options(where, given, PANEL, "key")
  for _, name in ipairs { "url", "key" } do
    if given[name] == nil then argerror.throw(where, "the option '%s' is missing", name) end
  end
  local all = {}
  for name, value in pairs(DEFAULTS) do all[name] = value end
  for name, value in pairs(given) do all[name] = value end
  if all.headers then all.headers = header_lines(all.headers) end
  return all
end

--- Merges the panel's header lines with a call's, which replace those of the same name.
---@param own string[]? the panel's lines
---@param given table? the option `headers` of the call
---@return string[]? lines nil if the call has no headers
function options.merged_headers(own, given)
  if not given then return nil end
  local lines, named = header_lines(given), {}
  local function name_of(one) return text.lower(one:match "^[^:]*") end
  for _, one in ipairs(lines) do named[name_of(one)] = true end
  for _, one in ipairs(own or {}) do
    if not named[name_of(one)] then lines[#lines + 1] = one end
  end
  return lines
end

local function checked(known)
  return function(where, given)
    if given == nil then return {} end
    return checks.options(where, given, known)
  end
end

--- Checks the options of one call. Each function takes the public function's name and the caller's table or nil.
options.call = checked(CALL)
options.services = checked(SERVICES)
options.add = checked(ADD)
options.add_all = checked(ADD_ALL)
options.pending = checked { after = checks.name, limit = integer(1, 1e9) }
options.investigate = checked { settle = flag, max_requests = integer(1, 10000), timeout = seconds,
  retries = PANEL.retries }
options.resolve = checked { attempt = integer(1, 2 ^ 53), force = flag }
options.list = checked(LIST)
options.watch = checked(WATCH)

return options
