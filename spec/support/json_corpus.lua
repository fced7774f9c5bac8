-- Texts that are JSON and texts that are not (RFC 8259), and how the specs of the decoder compare results.
local assert = require "luassert"
local core = require "smmpanel.core"
local schemas = require "smmpanel.api.schemas"

local corpus = {}

local rep = string.rep

--- Documents that every reader accepts; lua-cjson reads them too, and gives the expected value.
corpus.valid = {
  "{}", "[]", " [ ] ", "\t{\r\n}\n", "[[]]", "[{}]", "[{},{}]", '{"a":{}}', '{"":""}', '{"a":[]}', "true",
  "false", "0", "-1", "12.5", '"text"', ' "text" ', '""', "[true,false]",
  '{"a":1,"b":"x","c":[1,2,3],"d":{"e":true}}', '{ "a" : 1 , "b" : [ 1 , 2 ] }', '[1\n,\r2\t,3 ]',
  "[0,-0,1,-1,10,123456789012]", "[0.5,-0.5,1.25,10.0625,1e3,1E3,1e+3,1e-3,1.5e2,-1.5E-2,0e0,0.0e10]",
  "[9007199254740991,-9007199254740991]", "[5e-324,1.7976931348623157e308,2.2250738585072014e-308,1e-400]",
  "[0.1,0.2,0.30000000000000004,0.27819,100.84292,0.08011655652,1.1e-5]",
  "[123456789.123456789123456789,0.000000000000000000000000000001234567890123456789]",
  '["\\"\\\\\\/\\b\\f\\n\\r\\t"]', '["\\u0041\\u00e9\\u20ac\\uFFFF\\u0000x"]',
  '["\\ud83d\\ude00","\\uD834\\uDD1E"]', '["\\uDBFF\\uDFFF\\ud800\\udc00"]',
  '["\194\128\223\191\224\160\128\237\159\191\238\128\128\239\191\191"]',
  '["\240\144\128\128\244\143\191\191\240\159\148\165"]', '["\127"]', '["a/b"]',
  '{"\\u0061":1,"\195\169":2}', '{"a":1,"a":2}', '{"a":{"a":{"a":[[[["deep"]]]]}}}',
  '["' .. rep("x", 15) .. '","' .. rep("y", 16) .. '"]', '["' .. rep("z", 17) .. '"]',
  '["' .. rep("long ", 100) .. '\\n' .. rep("\195\169", 40) .. '"]', "[null]", "[1,null,2]", '{"a":null}',
  "[null,null,[null]]", '{"1":1,"01":2,"-1":3}', rep("[", 128) .. rep("]", 128),
  rep('{"a":', 128) .. "1" .. rep("}", 128),
}

--- Texts that are not JSON. All begin with { or [, so none is treated as a notice.
corpus.invalid = {
  "[", "{", "[1", "[1,", '["a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '["\\', '["\\u', '["\\u00', "[tru",
  "[nul", "[-", "[1}", '{"a":1]', "[]]", "{}}", "[] []", "{}{}", "[],", "[]x", "{} null", "[]\0", "{}\0 ",
  "[]\239\187\191", "[,]", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1:2]", "{,}", '{"a":1,}', '{"a"}', '{"a",1}',
  '{"a" 1}', '{"a"::1}', '{a:1}', "{'a':1}", "{1:1}", "{null:1}", "{[]:1}", '{"a":1 "b":2}',
  '{"a":1,,"b":2}', '{"a":}', "['a']", "[01]", "[-01]", "[00]", "[1.]", "[.5]", "[-.5]", "[+1]", "[1e]",
  "[1e+]", "[1.e3]", "[1.5.2]", "[1e5.5]", "[--1]", "[-]", "[0x10]", "[1a]", "[1_000]", "[1e1e1]", "[1+1]",
  "[NaN]", "[nan]", "[Infinity]", "[-Infinity]", "[inf]", "[True]", "[TRUE]", "[nulll]", "[nul]",
  "[truefalse]", "[undefined]", "[1]//", "[/* */1]", "[1\v]", "[\f1]", "[\194\160]", '["a\nb"]', '["a\tb"]',
  '["a\0b"]', '["\31"]', '["a\\xb"]', '["\\a"]', '["\\\'"]', '["\\U0041"]', '["\\u004"]', '["\\u004g"]',
  '["\\u00 1"]', '["\\ud83d\\u12"]', '["\\\n"]', '["\\0"]', '["\128"]', '["\191"]', '["\192\128"]',
  '["\193\191"]', '["\195"]', '["\195x"]', '["\195\195\169"]', '["\224\159\191"]', '["\226\130"]',
  '["\226\130x"]', '["\237\160\128"]', '["\237\191\191"]', '["\240\143\191\191"]', '["\240\159\148"]',
  '["\244\144\128\128"]', '["\245\128\128\128"]', '["\252\128\128\128\128\128"]', '["\254"]', '["\255\255"]',
  '{"\255":1}', rep("[", 129) .. rep("]", 129), rep('{"a":', 129) .. "1" .. rep("}", 129), rep("[", 100000),
}

--- A value as text: fields in order, integers and floats distinguished, every bit of a number.
---@return string
function corpus.dump(value)
  if type(value) == "number" then
    return math.type and math.type(value) == "integer" and ("%d"):format(value) or ("%.17g"):format(value)
  end
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = corpus.dump(key) .. "=" .. corpus.dump(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

--- Decodes the text in pieces of `next_size()`.
---@return boolean? ok
---@return any value or the error
function corpus.decode(text, action, decimals, next_size)
  local decoder = core.decoder(schemas[action], decimals or "number")
  local from = 1
  while from <= #text do
    local size = next_size and next_size() or #text
    local ok, err = decoder:feed(text:sub(from, from + size - 1))
    if not ok then return nil, err end
    from = from + size
  end
  return decoder:finish()
end

local function outcome(ok, value)
  return ok and corpus.dump(value) or "error: " .. value
end

local function random_sizes(most)
  return function() return math.random(most) end
end

--- Decodes the text whole, byte by byte and in random pieces; throws if the results differ.
---@return boolean? ok
---@return any value or the error
function corpus.decode_every_way(text, action, decimals)
  local ok, value = corpus.decode(text, action, decimals)
  local expected = outcome(ok, value)
  for _, most in ipairs { 1, 3, 20, 200 } do
    local got = outcome(corpus.decode(text, action, decimals, random_sizes(most)))
    if got ~= expected then
      error(("cut up (pieces of up to %d) it reads differently: %s\nwhole: %s\ncut:   %s"):format(
        most, text:sub(1, 200), expected:sub(1, 200), got:sub(1, 200)))
    end
  end
  return ok, value
end

--- Returns the value of a valid text, decoded in every way.
---@return any
function corpus.decoded(text, action, decimals)
  local ok, value = corpus.decode_every_way(text, action, decimals)
  if not ok then error(("%s: %s"):format(value, text), 2) end
  return value
end

--- Fails unless the values are equal, with the types and every bit of their numbers.
function corpus.assert_value(expected, value, context)
  assert.equal(corpus.dump(expected), corpus.dump(value), context)
end

return corpus
