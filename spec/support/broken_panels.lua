-- Panels that are not what panel:investigate assumes: transports around the sandbox in this process.
local json = require "smmpanel.util.json"

local broken = {}

local function copy_of(request, body)
  local copy = {}
  for name, value in pairs(request) do copy[name] = value end
  copy.body = body
  return copy
end

--- Order numbers are given by other rules: `to(n)` is the panel's number of the n-th order, `from` the way back.
function broken.numbered(to, from)
  return function(sandbox)
    return function(request)
      local body = request.body:gsub("(orders?=)([^&]*)", function(name, list)
        return name .. list:gsub("[^%%,]+", function(id)
          local hex, rest = id:match "^(2[cC])(.*)$"
          local found = from(rest or id)
          return (hex or "") .. (found and ("%.0f"):format(found) or "999999999")
        end)
      end)
      local answer, failure = sandbox(copy_of(request, body))
      if not answer or type(answer.body) ~= "string" then return answer, failure end
      if request.action == "add" then
        answer.body = answer.body:gsub('"order":(%d+)', function(n) return '"order":' .. to(tonumber(n)) end)
      else
        answer.body = answer.body:gsub('"(%d+)":{', function(n)
          return '"' .. to(tonumber(n)):gsub('"', "") .. '":{'
        end)
      end
      return answer
    end
  end
end

--- A status of another customer's order is answered too.
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
