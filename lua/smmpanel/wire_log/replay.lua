--- A transport that answers from a wire log.
--
--     local panel = smmpanel.new { url = url, key = "any", transport = smmpanel.replay "panel.jsonl" }
--
-- A request is answered by the first unused line with the same form body. When all of those are used, the last one
-- answers again. With `in_order = true` the lines are used in their order, whatever the requests are.
-- @module smmpanel.wire_log.replay

local argerror = require "smmpanel.util.argerror"
local base64 = require "smmpanel.util.base64"
local json = require "smmpanel.util.json"

local function read_lines(path)
  local file, problem = io.open(path, "rb")
  if not file then argerror.throw("smmpanel.replay", "cannot read the recording: %s", problem) end
  local lines, number = {}, 0
  for text in file:lines() do
    number = number + 1
    if text:find "[^ \t\r]" then
      local line = json.decode(text)
      if type(line) ~= "table" or type(line.request) ~= "string" then
        file:close()
        argerror.throw("smmpanel.replay", "%s, line %d: no recorded exchange", path, number)
      end
      lines[#lines + 1] = line
    end
  end
  file:close()
  return lines
end

-- The form body as in the log: the key, which is the first field, is replaced by K.
local function asked(body)
  return (body:gsub("^key=[^&]*", "key=K"))
end

local function by_request(lines)
  local queues = {}
  for _, line in ipairs(lines) do
    local queue = queues[asked(line.request)] or { at = 0 }
    queues[asked(line.request)] = queue
    queue[#queue + 1] = line
  end
  return function(body)
    local queue = queues[asked(body)]
    if not queue then return nil end
    queue.at = math.min(queue.at + 1, #queue)
    return queue[queue.at]
  end
end

local function one_by_one(lines)
  local at = 0
  return function()
    at = at + 1
    return lines[at]
  end
end

local function headers_of(line)
  return { ["Content-Type"] = line.content_type, ["Retry-After"] = line.retry_after, Location = line.location,
    ["X-RateLimit-Limit"] = line.x_ratelimit_limit, ["X-RateLimit-Remaining"] = line.x_ratelimit_remaining,
    ["X-RateLimit-Reset"] = line.x_ratelimit_reset }
end

local function answer(line)
  local body = line.body or line.body_base64 and base64.decode(line.body_base64)
  local given = { status = line.status, headers = headers_of(line), body = body }
  if not line.error then return given end
  for name, value in pairs(line.error) do given[name] = value end
  return nil, given
end

--- Makes a transport that answers from a wire log. Throws if the file cannot be read.
---@param path string
---@param options? { in_order: boolean? }
---@return fun(request: table): table?, table?
return function(path, options)
  local lines = read_lines(path)
  local next_line = options and options.in_order and one_by_one(lines) or by_request(lines)
  return function(request)
    local line = next_line(request.body)
    if line then return answer(line) end
    return nil, { code = "connect", sent = false,
      message = ("the recording %s has no answer to this %s"):format(path, request.action) }
  end
end
