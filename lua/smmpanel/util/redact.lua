--- Hides the key in messages and logs. Pure.
-- @module smmpanel.util.redact

-- A key this short is not a secret, and hiding it would damage other words.
local SECRET_MIN = 4

local function escaped(key, pattern, escape)
  return (key:gsub(pattern, escape))
end

local function percent(hex, space)
  return function(c) return c == " " and space or ("%%" .. hex):format(c:byte()) end
end

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\" }
local HTML = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ["'"] = "&#039;", ['"'] = "&quot;" }

local function code_point(sequence)
  local lead = sequence:byte()
  local point = lead >= 0xF0 and lead - 0xF0 or lead >= 0xE0 and lead - 0xE0 or lead - 0xC0
  for i = 2, #sequence do point = point * 64 + sequence:byte(i) - 128 end
  return point
end

-- A UTF-8 sequence as JSON's \u escapes, with surrogates beyond 16 bits.
local function unicode(hex)
  local unit = "\\u" .. hex
  return function(sequence)
    local point = code_point(sequence)
    if point < 0x10000 then return unit:format(point) end
    point = point - 0x10000
    return (unit .. unit):format(0xD800 + math.floor(point / 1024), 0xDC00 + point % 1024)
  end
end

local function json(key, slash, hex, unsafe)
  local text = escaped(key, '["\\]', SHORT)
  if slash then text = escaped(text, "/", "\\/") end
  if hex then text = escaped(text, "[\194-\244][\128-\191]+", unicode(hex)) end
  if unsafe then text = escaped(text, "[<>&']", function(c) return ("\\u" .. hex):format(c:byte()) end) end
  return text
end

-- The encodings of a key in a text: plain, form-encoded, and in a JSON string, with the usual variants.
local function spellings(key)
  local list, seen, form = {}, {}, "[^A-Za-z0-9%-._~]"
  local function add(spelling)
    if not seen[spelling] then list[#list + 1], seen[spelling] = spelling, true end
  end
  add(key)
  add((key:gsub(" ", "+"))) -- partly decoded
  for _, hex in ipairs { "%02X", "%02x" } do
    for _, space in ipairs { "+", "%20" } do add(escaped(key, form, percent(hex, space))) end
  end
  for _, slash in ipairs { true, false } do
    add(json(key, slash))
    for _, hex in ipairs { "%04x", "%04X" } do
      add(json(key, slash, hex))
      add(json(key, slash, hex, true))
    end
  end
  add(escaped(key, "[<>&'\"]", HTML))
  return list
end

local function replace(s, secret)
  local parts, from = {}, 1
  while true do
    local a, b = s:find(secret, from, true)
    if not a then break end
    parts[#parts + 1] = s:sub(from, a - 1)
    from = b + 1
  end
  if from == 1 then return s end
  parts[#parts + 1] = s:sub(from)
  return table.concat(parts, "***")
end

-- A text may be truncated inside the key, so a beginning of the key at the end of the text is hidden too.
local function replace_cut(s, secret)
  for length = math.min(#secret - 1, #s), SECRET_MIN, -1 do
    if s:sub(-length) == secret:sub(1, length) then return s:sub(1, -length - 1) .. "***" end
  end
  return s
end

--- Returns a function that hides a key in a text. Only its closure holds the key.
---@param key string
---@return fun(s: string): string
return function(key)
  local secrets = #key >= SECRET_MIN and spellings(key) or {}
  return function(s)
    for _, secret in ipairs(secrets) do
      s = replace_cut(replace(s, secret), secret)
    end
    return s
  end
end
