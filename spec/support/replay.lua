-- Converts a recorded request to the client's call that would have sent it.
local replay = {}

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- Returns the fields of a form body as a table.
function replay.fields(body)
  local multipart = body:match 'name="action"%s+([%w_]+)'
  local fields = { action = multipart }
  if multipart then return fields end
  for name, value in body:gmatch "([^&=]+)=?([^&]*)" do fields[unescape(name)] = unescape(value) end
  return fields
end

local function is_id(text) return text and text:match "^%w+$" ~= nil end

local function as_id(text) return #text < 16 and text:match "^%d+$" and tonumber(text) or text end

local function ids(text)
  local list = {}
  for id in text:gmatch "[^,]+" do
    if not is_id(id) then return nil end
    list[#list + 1] = as_id(id)
  end
  return #list > 0 and list or nil
end

local single = { status = "order", refill = "order", refill_status = "refill" }
local plural = { status = "orders", refill = "orders", refill_status = "refills", cancel = "orders" }

local methods = {
  services = function(panel) return panel:services() end,
  balance = function(panel) return panel:balance() end,
  add = function(panel, fields) return panel:add(fields) end,
}

local function by_call(panel, fields, action)
  if action == "" or not action then action = "none" end
  local plain = {}
  for name, value in pairs(fields) do
    if not name:find "[%[%]]" then plain[name] = value end
  end
  return panel:call(action, plain)
end

--- Makes the recorded request with its own method. Requests that no method would send (no id, no service, `order[]=`)
--- go through `call`.
---@return any value
---@return table? err
function replay.run(panel, body)
  local fields = replay.fields(body)
  local action = fields.action
  fields.key, fields.action = nil, nil
  local many = fields[plural[action]] and ids(fields[plural[action]])
  if many then return panel[action](panel, many) end
  local one = fields[single[action]]
  if is_id(one) then return panel[action](panel, as_id(one)) end
  local method = methods[action]
  if not method then return by_call(panel, fields, action) end
  local ok, value, err = pcall(method, panel, fields)
  if not ok then return by_call(panel, fields, action) end
  return value, err
end

local function number_text(n)
  return n % 1 == 0 and ("%.0f"):format(n) or ("%.17g"):format(n)
end

-- %q writes control characters in another way on PUC 5.1
local function quoted(text)
  text = text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n")
  return '"' .. text:gsub("(%c)(%d?)", function(control, digit)
    return ("\\%" .. (digit == "" and "" or "03") .. "d"):format(control:byte()) .. digit
  end) .. '"'
end

--- Returns a value as one line that is the same on every Lua: keys sorted, integral numbers without a point.
function replay.text(value)
  if type(value) == "number" then return number_text(value) end
  if type(value) == "string" then return quoted(value) end
  if type(value) ~= "table" then return tostring(value) end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) == "number" end
    return a < b
  end)
  for _, key in ipairs(keys) do
    if key ~= "cause" then
      local name = type(key) == "string" and key:match "^[%a_]+$" or "[" .. replay.text(key) .. "]"
      parts[#parts + 1] = name .. "=" .. replay.text(value[key])
    end
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

--- Returns the result: the value, or the error's kind, code, uncertainty and message.
function replay.outcome(value, err)
  local out = value ~= nil and replay.text(value) or ""
  if not err then return out end
  local uncertain = err.uncertain and " uncertain" or ""
  return ("%s%s %s/%s%s %s"):format(out, value ~= nil and " +" or "", err.kind, err.code, uncertain,
    replay.text(err.message:sub(1, 60)))
end

return replay
