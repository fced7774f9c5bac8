--- Counters of the requests that arrived, in total and by the name that a request may have (`?name=...`). They never
-- contain the key.
-- @module smmpanel.sandbox.stats

local json = require "smmpanel.sandbox.panel.php_json"

local stats = {}

local LAST_MAX = 100 -- requests remembered in full

local function new_count()
  return { requests = 0, made = 0, in_flight = 0, max_in_flight = 0, connections = 0, seen = {},
           actions = {}, last = {} }
end

---@return table stats
function stats.new()
  return { all = new_count(), names = {}, key_elsewhere = 0, maintenance = 0 }
end

local function both(self, name, work)
  self.names[name] = self.names[name] or new_count()
  work(self.all)
  work(self.names[name])
end

--- Counts a request that has arrived.
---@param self table
---@param name string
---@param connection any equal for the requests of one connection
function stats.begin(self, name, connection)
  both(self, name, function(count)
    count.requests = count.requests + 1
    count.in_flight = count.in_flight + 1
    count.max_in_flight = math.max(count.max_in_flight, count.in_flight)
    if not count.seen[connection] then
      count.seen[connection] = true
      count.connections = count.connections + 1
    end
  end)
end

-- Returns whether the key is anywhere outside the body.
local function key_leaks(key, head)
  return key ~= nil and #key >= 4 and head:find(key, 1, true) ~= nil
end

local function remembered(fields, request)
  local object, names = json.object(), {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    if name ~= "key" then
      object:set(name, fields[name])
    end
  end
  local headers = request.headers
  return json.object("fields", object, "http", request.http, "user_agent", headers.user_agent,
    "content_type", headers.content_type, "accept_encoding", headers.accept_encoding,
    "connection", request.connection)
end

--- Records the fields of a request whose body has been read.
---@param self table
---@param name string
---@param fields table<string, string>
---@param request sandbox.request
function stats.read(self, name, fields, request)
  local action, entry = fields.action or "", remembered(fields, request)
  if key_leaks(fields.key, request.head) then
    self.key_elsewhere = self.key_elsewhere + 1
  end
  both(self, name, function(count)
    count.actions[action] = (count.actions[action] or 0) + 1
    table.insert(count.last, entry)
    if #count.last > LAST_MAX then
      table.remove(count.last, 1)
    end
  end)
end

--- Counts the orders that a request placed.
---@param self table
---@param name string
---@param number integer
function stats.made(self, name, number)
  both(self, name, function(count)
    count.made = count.made + number
  end)
end

--- Counts a request as finished.
---@param self table
---@param name string
function stats.finish(self, name)
  both(self, name, function(count)
    count.in_flight = count.in_flight - 1
  end)
end

local function sorted(counts, value_of)
  local names, object = {}, json.object()
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    object:set(name, value_of(counts[name]))
  end
  return object
end

local function report(count)
  return json.object("requests", count.requests, "made", count.made, "in_flight", count.in_flight,
    "max_in_flight", count.max_in_flight, "connections", count.connections, "actions",
    sorted(count.actions, function(n)
      return n
    end), "last", json.array(count.last))
end

--- Returns the counters as JSON: those of one name, or the totals.
---@param self table
---@param name? string
---@return table object
function stats.report(self, name)
  if name then
    return report(self.names[name] or new_count())
  end
  return report(self.all):set("key_elsewhere", self.key_elsewhere):set("maintenance", self.maintenance)
end

return stats
