-- Unforeseen answers: random documents made of the words that panels use. The result is always a record or an error,
-- never a thrown one, and a write never succeeds without its required value.
local answers = require "smmpanel.api.answers"
local decode = require("spec.support.answers").decode

local KEYS = { "order", "order_id", "id", "orders", "status", "charge", "data", "result", "msg", "message", "error",
  "errors", "success", "refill", "refill_id", "cancel", "balance", "currency", "service", "services", "name",
  "rate", "1",
  "5", "77", "Order", "Status", "start_counter", "code", "detail", "Error", "0", "response", "price", "sid", "list" }
local SCALARS = { "0", "1", "5", "77", "-1", "1.5", "true", "false", "null", '""', '"5"', '"Pending"', '"success"',
  '"error"', '"Incorrect order ID"', '"Not enough funds"', '"1,234.50"', '"scheduled"', '"Completed"',
  '"ord_1"', '" "', '"Timeout"' }

local random = math.random

local function document(depth)
  local kind = depth > 0 and random(4) or 4
  if kind >= 3 then return SCALARS[random(#SCALARS)] end
  local parts = {}
  for i = 1, random(0, 4) do
    local value = document(depth - 1)
    parts[i] = kind == 1 and ('"%s":%s'):format(KEYS[random(#KEYS)], value) or value
  end
  return (kind == 1 and "{%s}" or "[%s]"):format(table.concat(parts, ","))
end

local ASKED = { { "services" }, { "balance" }, { "add" }, { "status", "5" }, { "status", { "5", "77" } },
  { "status", { "5" } }, { "refill", "5" }, { "refill", { "5", "77" } }, { "refill_status", { "5", "1" } },
  { "refill_status", "5" },
  { "cancel", { "5" } }, { "cancel", { "5", "77" } } }

-- The required value of a success, by action.
local HAS = {
  refill = function(record) return record.refill ~= nil and record.refill ~= 0 end,
  cancel = function(record) return record.cancel ~= nil and record.cancel ~= 0 end,
  status = function(record) return type(record) == "table" end, refill_status = function(record)
    return record.status ~= nil
  end,
  add = function(record) return record.order ~= nil or record.status ~= nil or record.success ~= nil end,
  balance = function(record) return type(record) == "table" end,
}

it("random documents are read or refused, and nothing throws", function()
  math.randomseed(20260)
  for round = 1, 6000 do
    local asked = ASKED[round % #ASKED + 1]
    local action, json = asked[1], document(4)
    local value = decode(action, json)
    if value ~= nil then
      local ok, record, failure = pcall(answers.read, action, asked[2], value)
      assert.is_true(ok, ("%s: %s: %s"):format(action, json, tostring(record)))
      assert.is_true((record == nil) ~= (failure == nil), action .. ": " .. json)
      if failure then
        assert.is_true(type(failure.text) == "string" and type(failure.code) == "string", action .. ": " .. json)
      elseif action ~= "services" then
        local records = type(asked[2]) == "table" and record or { record }
        for _, one in pairs(records) do assert.is_true(one.error ~= nil or HAS[action](one), action .. ": " .. json) end
      end
    end
  end
end)
