--- Base64 (RFC 4648), for bytes in JSON. Pure.
-- @module smmpanel.util.base64

local base64 = {}

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local value_of = {}
for i = 1, 64 do value_of[DIGITS:byte(i)] = i - 1 end

local function digit(n)
  return DIGITS:sub(n + 1, n + 1)
end

local function encode_three(three)
  local a, b, c = three:byte(1, 3)
  local n = a * 65536 + (b or 0) * 256 + (c or 0)
  return digit(math.floor(n / 262144)) .. digit(math.floor(n / 4096) % 64)
    .. (b and digit(math.floor(n / 64) % 64) or "=") .. (c and digit(n % 64) or "=")
end

---@param bytes string
---@return string
function base64.encode(bytes)
  return (bytes:gsub("..?.?", encode_three))
end

local function decode_four(four)
  local a, b, c, d = four:byte(1, 4)
  a, b, c, d = value_of[a], value_of[b], value_of[c], value_of[d]
  if not (a and b) then return "" end
  local n = a * 262144 + b * 4096 + (c or 0) * 64 + (d or 0)
  local bytes = string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256)
  return bytes:sub(1, d and 3 or c and 2 or 1)
end

--- Decodes a text. Characters that are not base64 are ignored.
---@param text string
---@return string
function base64.decode(text)
  return (text:gsub("[^%w+/=]", ""):gsub("..?.?.?", decode_four))
end

return base64
