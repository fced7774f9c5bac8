-- Defects that were found in the JSON reader and the typed values, each named as it was seen.
local child = require "spec.support.child"
local core = require "smmpanel.core"
local schemas = require "smmpanel.api.schemas"

-- Feeds two pieces that are split after `cut` bytes, or a whole text. Returns the value, or nil and the error.
local function read(text, cut)
  local decoder = core.decoder(schemas.status)
  local ok, why = decoder:feed(text:sub(1, cut or #text))
  if ok and cut then ok, why = decoder:feed(text:sub(cut + 1)) end
  if not ok then return nil, why end
  local whole, value = decoder:finish()
  if not whole then return nil, value end
  return value
end

-- Texts inside a string that cannot continue, by the wrong byte.
local WRONG = {
  "\\q", "\\u12G4", "\\uD83D\\x", "\\ud83d\\udcG0", "\\", "\\u", "\\u1", "\\u12", "\\u123", "\128", "\192\128",
  "\195(", "\226\130(", "\226(", "\240\159\146(", "\240\159(", "\237\160\128", "\244\144\128\128", "\255", "\1", "\n",
}

describe("regression:", function()
  -- What was skipped is sought on from the place of the error. (A byte before a piece, only a sanitizer sees read:
  -- fuzz/seeds.lua has the same.)
  it("the position of an error had the index -1 if a piece ended within an escape or a character", function()
    for _, wrong in ipairs(WRONG) do
      local broken = '["' .. wrong .. '"]'
      local _, whole_error = read(broken)
      assert.truthy(whole_error, ("%q"):format(broken))
      for cut = 0, #broken do
        local value, why = read(broken, cut)
        assert.is_nil(value)
        assert.equal(whole_error, why, ("%q cut after %d"):format(broken, cut))
      end
    end
  end)

  it("... so the document after a notice was not found, or one began at the wrong byte", function()
    for _, wrong in ipairs(WRONG) do
      local text = 'in ["' .. wrong .. ' {"order":7}'
      for cut = 0, #text do assert.same({ order = 7 }, read(text, cut), ("%q cut after %d"):format(text, cut)) end
    end
    for _, before in ipairs { "\\", "\\u", "\\u1", "\\ud83d\\u00", "\226", "\240\159", "a" .. "\195" } do
      local text = 'in ["' .. before .. "[[1]]"
      for cut = 0, #text do assert.same({ { 1 } }, read(text, cut), ("%q cut after %d"):format(text, cut)) end
    end
  end)

  -- One answer is bounded, so it takes several to use up the memory.
  it("running out of memory within the reader ended the program, not the call", function()
    if os.getenv "SANITIZER_PRELOAD" then return pending "a sanitizer needs more memory than is left here" end
    local said = child.run([[
      local core, schemas = require "smmpanel.core", require "smmpanel.api.schemas"
      local piece = ("a\\n"):rep(300000)
      for _, opening in ipairs { '["', '{"', '{"name":"' } do
        local decoders, ok, why = {}, true, nil
        while ok and #decoders < 400 do
          local decoder = core.decoder(schemas.services)
          decoders[#decoders + 1] = decoder
          assert(decoder:feed(opening))
          ok, why = decoder:feed(piece)
        end
        local last = decoders[#decoders]
        decoders = nil
        collectgarbage() collectgarbage()
        print(ok, why, select(2, last:feed "x"), (select(2, last:finish())))
      end
      print "of use"
    ]], "ulimit -v 200000;")
    local line = "nil\tout of memory\tout of memory\tout of memory\n"
    assert.equal(line .. line .. line .. "of use\nexit 0\n", said)
  end)

  it("running out of memory for a number or a table was not an error of the call", function()
    if os.getenv "SANITIZER_PRELOAD" then return pending "a sanitizer needs more memory than is left here" end
    local said = child.run([==[
      local core, schemas = require "smmpanel.core", require "smmpanel.api.schemas"
      local numbers = ",[1" .. (",1"):rep(9000) .. "]" -- a list of more than 10,000 is refused
      for _, piece in ipairs { numbers:rep(4), (",[[]]"):rep(30000) } do
        local decoders, caught, ok, why = {}, true, true, nil
        while caught and ok and #decoders < 400 do
          local decoder = core.decoder(schemas.services)
          decoders[#decoders + 1] = decoder
          assert(decoder:feed "[1")
          for _ = 1, 15 do
            caught, ok, why = pcall(decoder.feed, decoder, piece)
            if not caught or not ok then break end
          end
        end
        decoders = nil
        collectgarbage() collectgarbage()
        print(tostring(not caught and ok or why):match "memory")
      end
      print "of use"
    ]==], "ulimit -v 200000;")
    assert.equal("memory\nmemory\nof use\nexit 0\n", said)
  end)
end)
