--- The options of `smmpanel.new` and of a call. Pure. A wrong one throws; the key is in no message.
-- @module smmpanel.options

local options = {}

local text = require "smmpanel.text"
local usage = require "smmpanel.usage"

---@class smmpanel.Options
---@field url string the panel's endpoint in full, http or https; nothing is ever appended to it
---@field key string
---@field timeout? number seconds for a whole call, retries and all (60)
---@field connect_timeout? number seconds (10)
---@field retries? integer further attempts (2)
---@field concurrency? integer requests in flight in a batch (8)
---@field batch_size? integer ids in one request (100)
---@field rate? number requests a second (no limit)
---@field decimals? "number"|"string" how money is given (number)
---@field max_body? integer bytes of an answer after decompression (64 MiB)
---@field proxy? string
---@field ca_file? string
---@field crl_file? string certificates revoked, in PEM: for each issuer of the chain its list
---@field headers? table<string, string>|string[] name -> value, or "Name: value" lines
---@field user_agent? string
---@field host? "auto"|string|table what the client runs under: see smmpanel.host
---@field observe? fun(event: smmpanel.Event) called after each attempt
---@field ledger? table
---@field limiter? table

---@class smmpanel.CallOptions
---@field timeout? number seconds
---@field retries? integer
---@field decimals? "number"|"string"
---@field concurrency? integer lists only
---@field batch_size? integer lists only
---@field on_progress? fun(done: integer, total: integer) lists only, in ids

-- A check is given the value and returns nil where it is right, else what would be right.

local SECONDS_MAX = 1e7 -- more than a season; milliseconds still fit 64 bits many times over

local function seconds(value)
  local right = type(value) == "number" and value > 0 and value <= SECONDS_MAX
  return not right and "a number of seconds above 0" or nil
end

local function rate(value)
  local right = type(value) == "number" and value > 0 and value < math.huge
  return not right and "a number of requests a second above 0" or nil
end

local function integer(least, most)
  return function(value)
    local right = type(value) == "number" and value % 1 == 0 and value >= least and value <= most
    return not right and ("an integer from %d to %d"):format(least, most) or nil
  end
end

local function line(value)
  if type(value) ~= "string" then return "a string" end
  if value == "" then return "a string that is not empty" end
  return text.has_control(value) and "a string without line breaks and other control characters" or nil
end

local function url(value)
  local wrong = line(value)
  if wrong then return wrong end
  local scheme, authority = value:match("^(%a+)://([^/?#]+)")
  local known = scheme and (text.lower(scheme) == "http" or text.lower(scheme) == "https")
  local right = known and not value:find(" ", 1, true) and authority:gsub("^.*@", ""):find("^[^:]")
  return not right and "a URL with http:// or https:// and a host" or nil
end

local function one_of(...)
  local words, known = { ... }, {}
  for _, word in ipairs(words) do known[word] = true end
  local said = "'" .. table.concat(words, "' or '") .. "'"
  return function(value) return not known[value] and said or nil end
end

local function callable(value)
  local meta = type(value) == "table" and getmetatable(value)
  local right = type(value) == "function" or type(meta) == "table" and meta.__call
  return not right and "a function" or nil
end

local function host(value)
  local right = type(value) == "table" or type(value) == "string" and value ~= ""
  return not right and "'auto', a host's name or a host's table" or nil
end

local function object(value)
  local right = type(value) == "table" or type(value) == "userdata"
  return not right and "an object (see the manual)" or nil
end

-- The body is ours; a length or a type of someone else's would contradict it.
local OURS = { ["content-type"] = true, ["content-length"] = true, ["transfer-encoding"] = true }

local function header(name, value)
  if type(name) ~= "string" or not name:find("^[%w!#$&'*+.^_`|~%%-]+$") then return nil end
  if type(value) ~= "string" or text.has_control(value) or OURS[text.lower(name)] then return nil end
  return name .. ": " .. text.trim(value)
end

-- "Name: value" lines, sorted where they came as a map; nil where one of them is wrong.
local function header_lines(headers)
  local lines = {}
  for name, value in pairs(headers) do
    if type(name) == "number" and type(value) == "string" then
      name, value = value:match("^([^:]*):(.*)$")
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
    .. "Content-Type, Content-Length and Transfer-Encoding not among them" or nil
end

local count = integer(1, 4096)

local PANEL = {
  url = url, key = line, timeout = seconds, connect_timeout = seconds, retries = integer(0, 100),
  concurrency = count, batch_size = integer(1, 100000), rate = rate, decimals = one_of("number", "string"),
  max_body = integer(1, 2 ^ 40), proxy = line, ca_file = line, crl_file = line, headers = headers,
  user_agent = line, host = host, observe = callable, ledger = object, limiter = object,
}

local CALL = { timeout = seconds, retries = PANEL.retries, decimals = PANEL.decimals }
local LIST = {
  timeout = seconds, retries = PANEL.retries, decimals = PANEL.decimals,
  concurrency = count, batch_size = PANEL.batch_size, on_progress = callable,
}
local WATCH = { interval = seconds, timeout = seconds, on_change = callable, retries = PANEL.retries,
  decimals = PANEL.decimals, concurrency = count, batch_size = PANEL.batch_size }

local DEFAULTS = {
  timeout = 60, connect_timeout = 10, retries = 2, concurrency = 8, batch_size = 100,
  decimals = "number", max_body = 64 * 1024 * 1024, host = "auto",
}

local function check(where, given, known)
  if type(given) ~= "table" then
    usage.throw(where, "needs a table of options, got %s", usage.describe(given))
  end
  for name, value in pairs(given) do
    local wrong = known[name]
    if not wrong then
      usage.throw(where, "unknown option %s; %s", usage.describe(name), usage.hint(name, known))
    end
    local right = wrong(value)
    if right then
      local got = name == "key" and "a " .. type(value) or usage.describe(value)
      usage.throw(where, "%s must be %s, got %s", name, right, got)
    end
  end
end

--- The options of `smmpanel.new`, checked, with the defaults filled in.
---@param given smmpanel.Options
---@return table
function options.panel(given)
  local where = "smmpanel.new"
  check(where, given, PANEL)
  for _, name in ipairs { "url", "key" } do
    if given[name] == nil then usage.throw(where, "the option '%s' is missing", name) end
  end
  local all = {}
  for name, value in pairs(DEFAULTS) do all[name] = value end
  for name, value in pairs(given) do all[name] = value end
  if all.headers then all.headers = header_lines(all.headers) end
  return all
end

local function checked(known)
  return function(where, given)
    if given == nil then return {} end
    check(where, given, known)
    return given
  end
end

--- The options of one call. Each is given the public function's name and the caller's table or nil.
options.call = checked(CALL)
options.list = checked(LIST)
options.watch = checked(WATCH)

return options
