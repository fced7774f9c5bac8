-- The JSON reader: RFC 8259, in any pieces, with lua-cjson as the oracle; and notices before the document.
local cjson = require "cjson"
local corpus = require "spec.support.json_corpus"

local function decoded(text)
  local ok, value = corpus.decode_every_way(text)
  if not ok then error(("%s: %s"):format(value, text:sub(1, 200)), 2) end
  return value
end

local function refused(text)
  local ok, err = corpus.decode_every_way(text)
  if ok then error("taken for JSON: " .. text:sub(1, 200), 2) end
  assert.equal("string", type(err))
  return err
end

-- Whether it equals lua-cjson's result, with null absent; by value, because Debian's makes floats of integers on 5.4.
local function same(ours, theirs)
  if theirs == cjson.null then return ours == nil end
  if type(theirs) ~= "table" then return ours == theirs end
  if type(ours) ~= "table" then return false end
  for key, value in pairs(theirs) do
    if not same(ours[key], value) then return false end
  end
  for key in pairs(ours) do
    if theirs[key] == nil then return false end
  end
  return true
end

local function assert_as_cjson(text)
  local ours, theirs = decoded(text), cjson.decode(text)
  if not same(ours, theirs) then
    error(("%s\nours:   %s\ntheirs: %s"):format(text, corpus.dump(ours), corpus.dump(theirs)), 2)
  end
end

describe("JSON", function()
  setup(function() math.randomseed(20240229) end)

  it("is read as lua-cjson reads it", function()
    for _, text in ipairs(corpus.valid) do assert_as_cjson(text) end
  end)

  it("is refused where RFC 8259 refuses it", function()
    for _, text in ipairs(corpus.invalid) do refused(text) end
  end)

  it("truncated anywhere is refused", function()
    local text = '[{"a":"x\\u00e9\\ud83d\\ude00\195\169","b":-1.5e3,"c":[true,null],"d":{}}]'
    decoded(text)
    for i = 1, #text - 1 do refused(text:sub(1, i)) end
  end)

  it("with any one byte changed is read as by lua-cjson, or refused", function()
    local text = '{"a":"x\\u00e9\\/","b":-1.5e3,"c":[true,null,{}]}'
    for i = 1, #text do
      for _, byte in ipairs { '"', "\\", "{", "]", ",", ":", "0", "e", "-", " ", "u", "\1", "\195", "\0" } do
        local changed = text:sub(1, i - 1) .. byte .. text:sub(i + 1)
        local ok, value = corpus.decode(changed)
        if ok then assert.is_true(same(value, cjson.decode(changed)), changed) end
      end
    end
  end)

  it("explains what is wrong", function()
    assert.equal("nested too deeply", refused(("["):rep(129)))
    assert.equal("the JSON ends too early", refused '[{"order":1}')
    assert.equal("not UTF-8", refused '["\255"]')
    assert.equal("text after the document", refused "{} {}")
    assert.equal("a malformed number", refused "[01]")
    assert.equal("a control character in a string", refused '["a\nb"]')
    assert.equal("an escape that JSON does not have", refused '["\\x"]')
  end)

  it("has U+FFFD for an unpaired surrogate", function()
    local texts = { ["\\ud83d"] = "\239\191\189", ["\\ude00"] = "\239\191\189",
      ["\\ud83dx"] = "\239\191\189x",
      ["\\ud83d\\n\\ude00"] = "\239\191\189\n\239\191\189", ["\\ude00\\ud83d"] = ("\239\191\189"):rep(2),
      ["\\ud83dx\\ude00"] = "\239\191\189x\239\191\189",
      ["\\ud83d\\ud83d\\ude00"] = "\239\191\189\240\159\152\128",
      ["\\ud83d\\ude00\\ude00"] = "\240\159\152\128\239\191\189" }
    for escaped, text in pairs(texts) do assert.equal(text, decoded('["' .. escaped .. '"]')[1], escaped) end
  end)

  it("returns only a complete document", function()
    assert.is_nil((corpus.decode "[1,2"))
    assert.is_true((corpus.decode "[1,2]"))
    assert.is_nil((corpus.decode "[1,2] x"))
  end)
end)

-- ---- random documents ------------------------------------------------------------------------

local function pick(list) return list[math.random(#list)] end

local plain = { "a", "Instagram", " ", "0", "/", "{", "]", ":", ",", "<b>", "x[1]", "'", "\127",
  ("long "):rep(9) }
local beyond = { "\195\169", "\226\153\187", "\239\184\143", "\240\159\148\165", "\217\133" }
local escapes = { '\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u00e9", "\\u00E9",
  "\\u20ac", "\\ud83d\\udd25", "\\uD83D\\uDE00", "\\u0041" }
local numbers = { "0", "-0", "7", "-12", "23501", "0.27819", "-0.5", "1e3", "1.5E-7", "1.1e-5",
  "9007199254740991", "100.84292", "0.30000000000000004", "2.5e+10", "123456789.123456789", "1e-300",
  "0.08011655652" }

local function space() return math.random(4) == 1 and pick { " ", "\n", "\t", "\r\n  " } or "" end

local function random_string()
  local parts = {}
  for i = 1, math.random(0, 6) do parts[i] = pick(pick { plain, plain, beyond, escapes }) end
  return '"' .. table.concat(parts) .. '"'
end

local function random_number()
  if math.random(2) == 1 then return pick(numbers) end
  local text = ("%d.%d"):format(math.random(0, 99999), math.random(0, 999999))
  return math.random(3) == 1 and ("%se%d"):format(text, math.random(-30, 30)) or text
end

local random_value

local function random_items(depth, item)
  local items = {}
  for i = 1, math.random(0, 5) do items[i] = space() .. item(depth - 1) .. space() end
  return table.concat(items, ",")
end

local function random_field(depth)
  return random_string() .. space() .. ":" .. space() .. random_value(depth)
end

local containers = {
  function(depth) return "[" .. space() .. random_items(depth, random_value) .. "]" end,
  function(depth) return "{" .. space() .. random_items(depth, random_field) .. "}" end,
}

function random_value(depth)
  if depth > 0 and math.random(2) == 1 then return pick(containers)(depth) end
  return pick { random_string, random_string, random_number, function()
    return pick { "true", "false", "null" }
  end }()
end

describe("a random document", function()
  for seed = 1, 40 do
    it(("is read as lua-cjson reads it (seed %d)"):format(seed), function()
      math.randomseed(seed)
      for _ = 1, 10 do assert_as_cjson(space() .. pick(containers)(6) .. space()) end
    end)
  end
end)

-- ---- before the document -----------------------------------------------------------------------

local function page(bytes)
  local css = "<style>\nbody { margin: 0 }\n@media (max-width: 9px) { a[href] { color: #fff; } }\n</style>\n"
  local script = "<script>\nvar x = {}, y = [1, 2, {\"a\": 3}]; if (x[\"k\"]) { y = []; }\n" ..
    "function f(a) { return a[0] || {'b': [\"c\", d]}; }\n</script>\n"
  local trace = "<pre>#0 /srv/panel/api.php(34): Order->add(Array)\n#1 {main}\n thrown in [internal]</pre>\n"
  return "<!DOCTYPE html>\n<html>" .. (css .. script .. trace):rep(math.ceil(bytes / #(css .. script
    .. trace)))
end

describe("PROTOCOL 'Ids and values': before the JSON", function()
  setup(function() math.randomseed(20240229) end)

  it("there may be white space and a byte order mark", function()
    local mark = "\239\187\191"
    for _, before in ipairs { "\n", " \r\n\t", mark, mark .. "\n", "\n" .. mark, mark .. mark } do
      assert.equal(1, decoded(before .. '{"order":1}').order)
      assert.is_true(decoded(before .. "true"))
      assert.is_nil(decoded(before .. "null"))
      assert.equal("the JSON ends too early", refused(before .. '[{"order":1}'))
    end
  end)

  it("there may be notices in text", function()
    local notices = { "Warning: foo in /srv/api.php on line 3\n",
      "PHP Notice:  Undefined index: x[1] in {main}\n", "SQLSTATE[HY000] [2002] No such file or directory\n",
      "null ", "true story: ", "2 errors ", '"quoted" ', "nothing", "-", "1.5.", "12:30 ", "x {main} ",
      "a [1, 2] b ", "\239\187", "\239x", "\255\254 ", "caf\233 \128 ", 'x {"caf\233" ', 'x {"\\x ',
      'x {"a\n', "x [{", "x [1}", "x {{", "x [\"a\" ", "\0 ", "}", "]", ": , ", "x [tru ", "x [nul", "x [-",
      "x {\"a\":1}, ", "x [ [ ] ", "x [\"\\u12",
      'x [{"a":1,"b":"x"},{"a":1,"b":"x"},{"a":1,"b":? ', 'x [{"a":1,"b":2},{"a":1,"b":2? ' }
    for _, notice in ipairs(notices) do
      assert.equal(23501, decoded(notice .. '{"order":23501}').order, notice)
      assert.equal(2, decoded(notice .. '[{"order":1},{"order":2}]')[2].order, notice)
      assert.same({ order = 1 }, decoded(notice .. notice .. '{"order":1}'), notice)
    end
  end)

  it("there may be a debug page of 300 kB", function()
    local ok, value = corpus.decode(page(300000) .. '\n{"order":1}')
    assert.is_true(ok, value)
    assert.equal(1, value.order)
    ok, value = corpus.decode(page(300000) .. '\n{"order":1}', nil, nil, function() return 1 end)
    assert.is_true(ok, value)
    assert.equal(1, value.order)
  end)

  it("there may be at most a mebibyte", function()
    assert.is_nil((corpus.decode((" x"):rep(524289) .. "{}")))
    assert.is_true((corpus.decode((" x"):rep(524287) .. "{}")))
    assert.equal("too much text before the JSON", select(2, corpus.decode(page(1100000))))
  end)

  it("nothing is skipped before a part of a broken document", function()
    for _, before in ipairs { "", "Warning: x\n", "x {main} " } do
      local cut = { '[{"order":1}', '{"a":{"order":1}', '[[1,2],[3,4]', '{"a":[{"order":1}]',
        '[1,{"order":1}' }
      for _, text in ipairs(cut) do
        assert.equal("the JSON ends too early", refused(before .. text))
      end
    end
    local wrong = { '[{"order":1}}', '{"a":{"order":1}]', '[1 {"order":1}]', '{} {"order":1}',
      '[x]{"order":1}', "[2002] No {}", '{main} {"order":1}', 'x [1, {"order":1}', 'x {[{"order":1}' }
    for _, text in ipairs(wrong) do refused(text) end
    local behind = { 'x [{"order":1}}', 'x {"a":{"order":1}]', 'x [1 {"order":1}]', 'x {"order":1} y',
      'x {"a":1}}' }
    for _, text in ipairs(behind) do
      assert.equal("no JSON in it", refused(text))
    end
  end)

  it("text alone is not JSON, and no input is empty", function()
    for _, text in ipairs { "", " ", "\r\n", "\239\187\191", "\239\187\191 \n" } do assert.equal("empty",
      refused(text)) end
    for _, text in ipairs { "x", "\0", "SQLSTATE[HY000] [2002] No such file", "<html></html>", "\239\187x",
      "]" } do
      assert.equal("no JSON in it", refused(text))
    end
    for _, text in ipairs { "\239", "\239\187", "nul", "tru", '"a' } do refused(text) end
    assert.equal("nested too deeply", refused("x " .. ("["):rep(129)))
  end)

  it("each recorded answer reads the same in any pieces, and as lua-cjson reads it", function()
    for line in io.lines "spec/data/recorded.jsonl" do
      local body = cjson.decode(line).body
      if body then
        local ok, value = corpus.decode_every_way(body)
        local oracle, theirs = pcall(cjson.decode, body)
        if oracle then assert.is_true(ok and same(value, theirs), body:sub(1, 200)) end
      end
    end
  end)

  it("recorded warnings before a catalogue are skipped", function()
    local found = 0
    for line in io.lines "spec/data/recorded.jsonl" do
      local exchange = cjson.decode(line)
      if exchange.name == "warn-services" then
        found = found + 1
        assert.equal("<br />", exchange.body:sub(1, 6))
        assert.equal("number", type(decoded(exchange.body)[1].min))
      end
    end
    assert.equal(1, found)
  end)
end)
