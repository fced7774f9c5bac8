-- Every exchange recorded from a real panel goes through the whole client over a real socket; recorded_expected.txt
-- has the expected results. `UPDATE=1` writes that file again: read its diff line by line before you commit it.
local cjson = require "cjson"
local process = require "spec.support.process"
local replay = require "spec.support.replay"
local smmpanel = require "smmpanel"

local EXPECTED = "spec/data/recorded_expected.txt"

describe("recorded answers of real panels", function()
  local server, exchanges, expected = nil, {}, {}

  for line in io.lines "spec/data/recorded.jsonl" do exchanges[#exchanges + 1] = cjson.decode(line) end
  for line in io.lines(EXPECTED) do expected[#expected + 1] = line end

  setup(function()
    server = process.start(process.lua() .. " spec/support/replay_server.lua spec/data/recorded.jsonl")
  end)
  teardown(function() server.stop() end)

  local function play(number)
    local panel = smmpanel.new {
      url = ("http://127.0.0.1:%s/%d"):format(server.line, number), key = "K-of-the-spec", retries = 0,
    }
    local exchange = exchanges[number]
    local value, err = replay.run(panel, exchange.request)
    panel:close()
    return ("%d %s %s => %s"):format(number, exchange.panel, exchange.name, replay.outcome(value, err))
  end

  if os.getenv "UPDATE" then
    it("writes the results", function()
      local file = assert(io.open(EXPECTED, "w"))
      for number in ipairs(exchanges) do file:write(play(number), "\n") end
      file:close()
    end)
    return
  end

  it("has an expectation for each", function() assert.equal(#exchanges, #expected) end)

  for number, exchange in ipairs(exchanges) do
    it(("%d: %s, %s"):format(number, exchange.panel, exchange.name), function()
      assert.equal(expected[number], play(number))
    end)
  end
end)
