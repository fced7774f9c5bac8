-- Panels that break an assumption of panel:investigate: transports around the sandbox in this process.
local json = require "smmpanel.util.json"

local broken = {}

local function copy_of(request, body)
  local copy = {}
  for name, value in pairs(request) do copy[name] = value end
  copy.body = body
  return copy
end

-- Order ids by other rules: `to(n)` is the panel's id of the n-th order.
local function numbered(to)
  return function(sandbox)
    local numbers = {} -- by what their ids look like in a request
    return function(request)
      local body = request.body:gsub("(orders?=)([^&]*)", function(name, list)
        return name .. list:gsub("[^%%,]+", function(id)
          local hex, rest = id:match "^(2[cC])(.*)$"
          local found = numbers[rest or id]
          return (hex or "") .. (found and ("%.0f"):format(found) or "999999999")
        end)
      end)
      local answer, failure = sandbox(copy_of(request, body))
      if not answer or type(answer.body) ~= "string" then return answer, failure end
      if request.action == "add" then
        answer.body = answer.body:gsub('"order":(%d+)', function(n)
          local id = to(tonumber(n))
          numbers[id:gsub('"', "")] = tonumber(n)
          return '"order":' .. id
        end)
      else
        answer.body = answer.body:gsub('"(%d+)":{', function(n)
          return '"' .. to(tonumber(n)):gsub('"', "") .. '":{'
        end)
      end
      return answer
    end
  end
end

--- Ids that do not depend on the time of the order.
broken.scattered = numbered(function(n) return ("%.0f"):format(n * 617293 % 1000003 + 1) end)

--- Numbers from two ranges in turn, as from two servers.
broken.two_ranges = numbered(function(n) return ("%.0f"):format(n % 2 == 0 and n or n + 5000000) end)

--- Ids that are not numbers.
broken.opaque = numbered(function(n) return ('"ord_%.0f"'):format(n) end)

--- The status of another customer's order is answered too.
function broken.shows_others(sandbox)
  return function(request)
    local answer, failure = sandbox(request)
    if request.action ~= "status" or not answer or type(answer.body) ~= "string" then return answer, failure end
    local other = sandbox(copy_of(request, request.body:gsub("key=shop", "key=stranger")))
    local mine, theirs = json.decode(answer.body), json.decode(other.body)
    if mine.error then mine = theirs end
    for id, entry in pairs(theirs) do
      if type(mine[id]) == "table" and mine[id].error then mine[id] = entry end
    end
    answer.body = json.encode(mine)
    return answer
  end
end

return broken
