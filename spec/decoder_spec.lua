-- The decoder as an object, and the rows of long lists, which it reads with a cache of the previous row.
local child = require "spec.support.child"
local core = require "smmpanel.core"
local corpus = require "spec.support.json_corpus"
local schemas = require "smmpanel.api.schemas"

local assert_value, decoded = corpus.assert_value, corpus.decoded
local unpack = table.unpack or unpack

-- Kilobytes, once no finalizer of earlier specs frees anything more.
local function memory_at_rest()
  local before, now = math.huge, collectgarbage "count"
  while now < before do
    collectgarbage()
    before, now = now, collectgarbage "count"
  end
  return now
end

-- Rows are read with a cache of the previous row, which must have no visible effect.
describe("different rows", function()
  local gaps = { "", "", "", " ", "\n    " }

  -- White space is uniform for a while, as on a panel, and then changes.
  local function object_text(row)
    local after_comma, after_colon = gaps[math.random(#gaps)], gaps[math.random(#gaps)]
    local text = table.concat(row, "," .. after_comma)
    return "{" .. after_comma .. text:gsub('":', '"' .. after_colon .. ":" .. after_colon) .. "}"
  end

  local function rows_text(rows)
    local out = {}
    for i, row in ipairs(rows) do out[i] = object_text(row) end
    return "[" .. table.concat(out, ",") .. "]"
  end

  local choices = { '"service":"1"', '"service":"0012"', '"name":"x"', '"service":92233720368547758079',
    '"name":"a name that is longer than forty bytes, surely"', '"category":"c"', '"rate":"0.9"', '"rate":"?"',
    '"min":"10"', '"min":""', '"max":null', '"refill":"1"', '"refill":3', '"":""', '"service":"service"',
    '"service":{"service":"2","name":"x"}', '"min":["1","x",null]', '"name":["x",["x"]]', '"category":"category"',
    '"n\\u0061me":"y"', '"desc":"x"', '"service":"name"', '"category":{"name":"x"}',
    '"category":"caf\\u00e9 \\/ \\ud83d\\ude00"' }

  local function random_row()
    local row = {}
    for k = 1, math.random(0, 20) do row[k] = choices[math.random(#choices)] end
    return row
  end

  -- Now and then a row like the previous one, or with a missing or different field.
  local function next_row(row)
    local copy = { unpack(row) }
    local what = math.random(5)
    if what == 1 then return random_row() end
    if what == 2 and #copy > 0 then table.remove(copy, math.random(#copy)) end
    if what == 3 then copy[math.random(#copy + 1)] = choices[math.random(#choices)] end
    return copy
  end

  it("are read as if alone", function()
    math.randomseed(11)
    for _ = 1, 300 do
      local rows = { random_row() }
      for i = 2, math.random(1, 8) do rows[i] = next_row(rows[i - 1]) end
      local together = decoded(rows_text(rows), "services")
      for i, row in ipairs(rows) do
        assert_value(select(2, corpus.decode("{" .. table.concat(row, ",") .. "}", "services")), together[i])
      end
    end
  end)

  it("a text that is a key, after a number that stays text", function()
    local list = decoded('[{"a":1,"order":92233720368547758079},{"a":1,"order":92233720368547758079},' ..
      '{"a":1,"order":92233720368547758079},{"a":1,"order":"a"}]', "status")
    assert_value("a", list[4].order)
  end)

  it("can have any number of fields", function()
    local wide = {}
    for i = 1, 500 do wide[i] = ('"k%d":"v%d"'):format(i, i) end
    local list = decoded(rows_text { wide, {}, { '"k500":"x"' }, wide, {} })
    assert.equal("v500", list[1].k500)
    assert.same({}, list[2])
    assert.same({ k500 = "x" }, list[3])
    assert.same(list[1], list[4])
  end)

  it("a large row does not make the small one after it large", function()
    local wide = {}
    for i = 1, 5000 do wide[i] = ('"k%d":1'):format(i) end
    local _, list = corpus.decode(rows_text { wide, {} })
    local small = list[2]
    list = nil -- luacheck: ignore
    local with = memory_at_rest()
    assert.same({}, small)
    small = nil -- luacheck: ignore
    assert.is_true(with - memory_at_rest() < 50)
  end)

  it("leave nothing behind in a notice that looked like rows", function()
    local text = 'x [{"order":"1","id":"2"},{"order":"1","id":? '
    assert_value({ "3" }, decoded(text .. '["3"]', "status"))
    assert_value({ order = 3 }, decoded(text .. '{"order":"3"}', "status"))
  end)

  it("share texts only if they are equal", function()
    local list = decoded '[{"a":"x","b":"yy"},{"a":"x","b":"zz"},{"a":"","b":"zz"},{"b":"x","a":"zz"}]'
    assert_value({ a = "x", b = "yy" }, list[1])
    assert_value({ a = "x", b = "zz" }, list[2])
    assert_value({ a = "", b = "zz" }, list[3])
    assert_value({ a = "zz", b = "x" }, list[4])
  end)
end)

describe("the decoder", function()
  it("explains what is wrong, and repeats the explanation", function()
    local decoder = core.decoder(schemas.status, "number")
    assert.is_true(decoder:feed "[1")
    local ok, err = decoder:feed "}"
    assert.is_nil(ok)
    assert.equal("a comma or a closing bracket expected", err)
    assert.same({ nil, err, "broken", n = 3 }, { n = 3, decoder:feed "]" })
    assert.same({ nil, err, "broken", n = 3 }, { n = 3, decoder:finish() })
  end)

  it("ends once", function()
    local decoder = core.decoder(schemas.status, "number")
    decoder:feed "[1]"
    assert.same({ true, { 1 } }, { decoder:finish() })
    assert.is_nil((decoder:finish()))
    assert.is_nil((decoder:feed "[2]"))
  end)

  it("can be fed nothing, and left unfinished", function()
    local decoder = core.decoder(schemas.status, "number")
    assert.is_true(decoder:feed "")
    assert.is_true(decoder:feed '{"a":"b')
    assert.is_true(decoder:feed "")
    assert.is_true(decoder:feed '\\u00')
    decoder = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
  end)

  it("can be fed by several coroutines in turn", function()
    local decoder = core.decoder(schemas.status, "number")
    for _, piece in ipairs { '[{"order":"1', '","charge":"0.5"},', '{"order"', ':"2","ch',
      'arge":"0.25"}]' } do
      assert.is_true(select(2, coroutine.resume(coroutine.create(function() return decoder:feed(piece) end))))
    end
    local ok, value = decoder:finish()
    assert.is_true(ok)
    assert_value({ { order = 1, charge = 0.5 }, { order = 2, charge = 0.25 } }, value)
  end)

  -- In its own process: here each collection would traverse everything that earlier specs left.
  it("protects unfinished values from the collector", function()
    assert.equal(("a name of some length, more than forty bytes, x, z\n"):rep(10) .. "exit 0\n", child.run [[
      local core, schemas = require "smmpanel.core", require "smmpanel.api.schemas"
      local decoder = core.decoder(schemas.services, "number")
      local row = '{"service":"%d","name":"a name of some length, more than forty bytes%d","list":["x%d",{"y":"z%d"}]},'
      decoder:feed "["
      for i = 1, 10 do
        for piece in row:format(i, i, i, i):gmatch "..?.?.?.?.?.?" do
          decoder:feed(piece)
          collectgarbage()
        end
      end
      decoder:feed "{}]"
      local _, list = assert(decoder:finish())
      for i = 1, 10 do
        local one = list[i]
        local text = ("%d %s, %s, %s"):format(one.service, one.name, one.list[1], one.list[2].y)
        print((text:gsub(i .. "%f[^%d]", ""):gsub("^ ", "")))
      end
    ]])
  end)

  it("accepts only text, and only itself", function()
    local decoder = core.decoder(schemas.status, "number")
    assert.has_error(function() decoder:feed() end)
    assert.has_error(function() decoder:feed {} end)
    assert.has_error(function() decoder.feed({}, "x") end)
    assert.has_error(function() decoder.finish(io.stdout) end)
  end)
end)
