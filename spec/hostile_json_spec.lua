-- Answers within max_body that were made to use much memory or time: the content of one answer has limits, and content
-- within them is read.
local child = require "spec.support.child"
local core = require "smmpanel.core"
local schemas = require "smmpanel.api.schemas"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local MIB = 1024 * 1024

-- Feeds a decoder `times` times `piece` between two texts. Returns the value, or nil and the error.
local function read(opening, times, piece, closing)
  local decoder = core.decoder(schemas.services)
  assert(decoder:feed(opening))
  local block = math.max(1, math.floor(16384 / #piece))
  for left = times, 1, -block do
    local ok, why = decoder:feed(piece:rep(math.min(left, block)))
    if not ok then return nil, why end
  end
  local ok, why = decoder:feed(closing)
  if not ok then return nil, why end
  local whole, value = decoder:finish()
  if not whole then return nil, value end
  return value
end

describe("an answer with", function()
  after_each(function()
    collectgarbage()
    collectgarbage()
  end)

  it("20 million objects took 1.8 GB", function()
    local value, why = read("[{}", 20e6, ",{}", "]")
    assert.is_nil(value)
    assert.equal("more values than max_body allows", why)
  end)

  it("20 million numbers took 0.5 GB, and one step of 20 ms whenever their table grew", function()
    for opening, piece in pairs { ["[0"] = ",0", ["[null"] = ",null", ['{"1":true'] = ',"2":""' } do
      local value, why = read(opening, 20e6, piece, "]")
      assert.is_nil(value)
      assert.equal("a list with more than 10,000 plain values", why)
    end
  end)

  it("10,000 plain values is read", function()
    assert.equal(10000, #assert(read("[0", 9999, ",0", "]")))
  end)

  it("a catalogue of 100,000 services is read", function()
    local row = ',{"service":1,"name":"Followers","type":"Default","category":"X","rate":"0.90","min":"50",'
      .. '"max":"10000","refill":true,"cancel":false,"dripfeed":false,"desc":"d","time":null,"tags":["a","b"]}'
    local value = assert(read('[{"service":1}', 99999, row, "]"))
    assert.equal(100000, #value)
    assert.equal(10000, value[100000].max)
  end)

  it("a string of 60 MB blocked one step", function()
    for _, piece in ipairs { "x", "\\n", "\195\169" } do
      local value, why = read('["', 2 * MIB, piece, '"]')
      assert.is_nil(value)
      assert.equal("a string of more than 1 MiB", why)
      value, why = read('{"', 2 * MIB, piece, '":1}')
      assert.is_nil(value)
      assert.equal("a string of more than 1 MiB", why)
    end
  end)

  it("a string of 1 MiB is read", function()
    assert.equal(MIB, #assert(read('["', MIB, "x", '"]'))[1])
    assert.equal(MIB, #assert(read('["', MIB, "\\n", '"]'))[1])
    local decoder = core.decoder(schemas.services)
    assert(decoder:feed('["' .. ("x"):rep(MIB) .. '"]'))
    decoder = core.decoder(schemas.services)
    assert.is_nil((decoder:feed('["' .. ("x"):rep(MIB + 1) .. '"]')))
  end)

  it("a number of a million digits was kept and read as a whole", function()
    for _, opening in ipairs { "[1", "[0.", '{"rate":1' } do
      local value, why = read(opening, 1e6, "1", "]")
      assert.is_nil(value)
      assert.equal("a number of more than 1024 bytes", why)
    end
    assert.equal(1024, #assert(read("[1", 1023, "1", "]"))[1])
  end)

  it("keys that were made to collide took quadratic time on Lua 5.1", function()
    local keys = {}
    for i = 1, 10001 do keys[i] = ('"key%d":1'):format(i) end
    local decoder = core.decoder(schemas.status)
    local ok, why = decoder:feed("{" .. table.concat(keys, ",") .. "}")
    assert.is_nil(ok)
    assert.equal("an object with more than 10,000 keys", why)
    decoder = core.decoder(schemas.status)
    local most = "{" .. table.concat(keys, ",", 1, 10000) .. "}"
    assert(decoder:feed("[" .. most .. "," .. most .. "]"))
    assert(decoder:finish())
  end)

  it("the same key again and again is limited too", function()
    local value, why = read('{"a":1', 20e6, ',"abcdefgh":null', "}")
    assert.is_nil(value)
    assert.truthy(why:find "keys")
  end)

  it("a catalogue that PHP wrote as an object of 100,000 rows is read", function()
    local rows = {}
    for i = 1, 100000 do rows[i] = ('"%d":{"service":%d}'):format(i, i) end
    local decoder = core.decoder(schemas.services)
    assert(decoder:feed("{" .. table.concat(rows, ",") .. "}"))
    local _, value = assert(decoder:finish())
    assert.equal(100000, value["100000"].service)
  end)
end)

describe("over a socket", function()
  local server
  setup(function() server = raw.start() end)
  teardown(function() server.stop() end)

  local OPENING = "HTTP/1.1 200 OK\r\n\r\n["

  local WORDS = {
    ["{},"] = "more values", ["1"] = "a number of", ["1,"] = "10,000 plain", ["["] = "nested too deeply",
  }

  it("an answer beyond a limit is too_large, is not read to its end and is not retried", function()
    for piece, words in pairs(WORDS) do
      local panel = smmpanel.new { url = server.url { OPENING, { 40e6, piece }, raw.WAIT }, key = "key", timeout = 60 }
      local value, err = panel:services()
      assert.is_nil(value)
      assert.same({ "response", "too_large" }, { err.kind, err.code }, tostring(err))
      assert.truthy(err.message:find(words, 1, true), err.message)
      assert.equal(1, err.attempts)
    end
  end)
end)

describe("eight decoders at rest", function()
  -- malloc gives each block of 8 kB or more back to the system at once, so what is resident is in use.
  local RETURNS_MEMORY = "MALLOC_MMAP_THRESHOLD_=8192 MALLOC_ARENA_MAX=1"

  it("kept the buffers of their largest strings: 8 MB and more", function()
    if os.getenv "SANITIZER_PRELOAD" then return pending "a sanitizer has a malloc of its own" end
    local said = child.run([[
      local core, raw = require "smmpanel.core", require "spec.support.raw"
      local server = raw.start()

      local function resident()
        collectgarbage()
        collectgarbage()
        local file = assert(io.open "/proc/self/statm")
        local pages = file:read "*a":match "^%d+ (%d+)"
        file:close()
        return pages * 4096
      end

      local function eight_answers(size)
        local transfers = {}
        local client = core.client { url = server.url { "HTTP/1.1 200 OK\r\n\r\n[\"", { size, "x" }, '"]' }, key = "k",
          max_body = 2e6, connect_timeout = 5, user_agent = "x" }
        for i = 1, 8 do
          transfers[i] = assert(core.start(client, { action = "balance", deadline = core.now() + 20 }))
        end
        local left = 8
        while left > 0 do
          core.wait(1)
          for _, transfer in ipairs(core.step() or {}) do
            assert(transfer:result().json == "whole")
            left = left - 1
          end
        end
      end

      eight_answers(10)
      local before = resident()
      eight_answers(1e6)
      print(resident() - before)
      server.stop()
    ]], RETURNS_MEMORY)
    local grown = tonumber(said:match "^(%-?%d+)")
    assert.is_true(grown and grown < 4 * MIB, said)
  end)
end)
