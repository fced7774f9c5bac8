--- The faults that a request can name. They become a plan for the answer, which the transport carries out (`wire` in
-- nginx). Pure: no network, no clock.
-- @module smmpanel.sandbox.faults

local fault_list = require "smmpanel.sandbox.faults.list"
local form = require "smmpanel.sandbox.form"
local shapes = require "smmpanel.sandbox.shapes"

local faults = {}

faults.list = fault_list.list
faults.by_name = {}

for _, entry in ipairs(faults.list) do
  faults.by_name[entry.name:match("^[^:]+")] = entry
end

---@class sandbox.plan
---@field late? number seconds before the action is carried out, even if the client has gone
---@field latency? number seconds between the action and the answer
---@field jitter? number up to this many seconds more, at random
---@field limit? { count: integer, seconds: number } a rate limit
---@field answer? { status: integer, type: string, body: string } instead of the panel's
---@field made? boolean the action is carried out although `answer` replaces its result
---@field close? "unread"|"fin"|"reset" no answer at all
---@field status? integer the HTTP status of the panel's answer
---@field headers table<string, string> in addition to the usual ones
---@field retry_date? number seconds from now, sent as a date in Retry-After
---@field before string[] text before the body
---@field after string[] text after the body
---@field encoding? "gzip"|"identity" whatever the client accepts
---@field way? string how the body is sent: cut, cut-chunked, trickle, stall, drip
---@field pace? number bytes, or bytes per second, for `way`
---@field stream? { kind: string, size: number } a generated body, too large to wait for
---@field shapes { name: string, arg: string? }[]

local function shape_fault(shape, name)
  return function(plan, arg)
    if shape.needs and not (arg or ""):find(shape.needs) then
      error("write " .. shape.name, 0)
    end
    table.insert(plan.shapes, { name = name, arg = arg })
  end
end

local function apply_of(name)
  if faults.by_name[name] and faults.by_name[name].apply then
    return faults.by_name[name].apply
  end
  local code = fault_list.code_fault(name)
  if code then return code end
  return shapes.by_name[name] and shape_fault(shapes.by_name[name], name)
end

-- `@2`: the first two requests; `@3-5`: the third to the fifth; `@3-`: the third and all later ones.
local function range_of(text)
  if not text then
    return 1, math.huge
  end
  local first, dash, last = text:match("^(%d+)(%-?)(%d*)$")
  if not first then
    error(("@%s is not a range of requests: write @2, @3-5 or @3-"):format(text), 0)
  end
  if dash == "" then
    return 1, tonumber(first)
  end
  return tonumber(first), tonumber(last) or math.huge
end

local function read_one(text)
  local spec, count = text:match("^(.-)@([%d%-]+)$")
  local name, arg = (spec or text):match("^([^:]+):?(.*)$")
  local apply = name and apply_of(name) or error(("unknown fault %s"):format(name or text), 0)
  local first, last = range_of(count)
  arg = arg ~= "" and form.decode(arg) or nil
  return { text = text, arg = arg, apply = apply, first = first, last = last }
end

--- Reads a list of faults: `lost@2,latency:0.3`.
---@param text string? parts separated by commas; a comma in an argument is %2C
---@return table[] specs
---@return string? problem in the list: then it is empty
function faults.parse(text)
  local specs = {}
  for part in (text or ""):gmatch("[^,]+") do
    local ok, spec = pcall(read_one, part)
    if not ok then
      return {}, spec
    end
    specs[#specs + 1] = spec
  end
  return specs
end

--- Returns the faults that apply to this request. Each fault counts the requests on its own.
---@param specs table[]
---@param counts table<string, integer> of one group of requests; this function increments them
---@return table[] specs
function faults.due(specs, counts)
  local due = {}
  for _, spec in ipairs(specs) do
    local n = (counts[spec.text] or 0) + 1
    counts[spec.text] = n
    if n >= spec.first and n <= spec.last then
      due[#due + 1] = spec
    end
  end
  return due
end

--- Combines faults into a plan.
---@param specs table[]
---@return sandbox.plan? plan
---@return string? problem
function faults.plan(specs)
  local plan = { headers = {}, before = {}, after = {}, shapes = {} }
  for _, spec in ipairs(specs) do
    local ok, problem = pcall(spec.apply, plan, spec.arg)
    if not ok then
      return nil, ("%s: %s"):format(spec.text, problem)
    end
  end
  return plan
end

--- Throws a sentence if one of the faults in a list is unknown, or its argument is wrong.
---@param text string?
function faults.check(text)
  local specs, problem = faults.parse(text)
  if not problem then problem = select(2, faults.plan(specs)) end
  if problem then error(problem, 0) end
end

--- Counts a request towards a rate limit.
---@param windows table<string, table> stored by the caller
---@param id string whose limit it is
---@param limit { count: integer, seconds: number }
---@param now number
---@return table<string, string> headers
---@return boolean refused
function faults.limited(windows, id, limit, now)
  local window = windows[id]
  if not window or now >= window.start + limit.seconds then
    window = { start = now, used = 0 }
    windows[id] = window
  end
  window.used = window.used + 1
  local left, wait = limit.count - window.used, math.ceil(window.start + limit.seconds - now)
  local headers = { ["X-RateLimit-Limit"] = ("%.0f"):format(limit.count),
                    ["X-RateLimit-Remaining"] = ("%.0f"):format(math.max(left, 0)),
                    ["X-RateLimit-Reset"] = ("%.0f"):format(math.ceil(window.start + limit.seconds)) }
  if left < 0 then
    headers["Retry-After"] = ("%.0f"):format(wait)
  end
  return headers, left < 0
end

return faults
