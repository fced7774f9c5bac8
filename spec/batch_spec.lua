-- Lists of ids: split into requests, sent several at a time, with a result for every id.
local batch = require "smmpanel.call.batch"
local blocking = require "smmpanel.loop.blocking"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"
local ids = require "smmpanel.api.ids"

local function numbers(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

local function answer(texts)
  local entries = {}
  for _, id in ipairs(texts) do entries[id] = { status = "Pending", order = id } end
  return entries
end

local function run(list, send, more)
  local how = { loop = blocking, batch_size = 100, concurrency = 8 }
  for name, value in pairs(more or {}) do how[name] = value end
  return batch.run("status", ids.read("x", list), how, send, how.progress or function() end)
end

local function failure(code)
  return errors.new { kind = code == "account" and "panel" or "network", code = code, action = "status",
    message = "it failed", attempts = 1 }
end

describe("a list", function()
  it("is split into requests", function()
    assert.same({}, batch.chunks({}, 100))
    assert.same({ { 1, 2 }, { 3, 4 }, { 5 } }, batch.chunks(numbers(5), 2))
    local chunks = batch.chunks(numbers(1234), 100)
    assert.same({ 13, 100, 34 }, { #chunks, #chunks[1], #chunks[13] })
  end)

  it("is sent several at a time, never more", function()
    local now, most = 0, 0
    local progress = {}
    local result, err = run(numbers(1234), function(texts)
      now = now + 1
      most = math.max(most, now)
      blocking.sleep(0.001)
      now = now - 1
      return answer(texts)
    end, { concurrency = 3, progress = function(done,
      total) progress[#progress + 1] = done .. "/" .. total end })
    assert.is_nil(err)
    assert.equal(3, most)
    assert.equal(1234, #result)
    assert.same({ 13, "1234/1234" }, { #progress, progress[13] })
  end)

  it("has an entry for each id of a failed request, and the results of the others", function()
    local reset = failure "reset"
    local result, err = run(numbers(250), function(texts)
      if texts[1] == "101" then return nil, reset end
      return answer(texts)
    end)
    assert.equal(reset, err)
    assert.equal(250, #result)
    assert.equal("Pending", result[100].status)
    assert.same({ "it failed", "reset", reset }, { result[150].error, result[150].code, result[150].cause })
    assert.equal("Pending", result[201].status)
  end)

  it("returns the error of the first request, whichever failed first", function()
    local first, second = failure "reset", failure "tls"
    local _, err = run(numbers(4), function(texts)
      blocking.sleep(texts[1] == "1" and 0.02 or 0)
      return nil, texts[1] == "1" and first or second
    end, { batch_size = 2 })
    assert.equal(first, err)
  end)

  it("sends nothing more once the key was refused", function()
    local sent, refused = 0, failure "account"
    local result, err = run(numbers(500), function()
      sent = sent + 1
      return nil, refused
    end, { concurrency = 1 })
    assert.equal(1, sent)
    assert.equal(refused, err)
    assert.equal(500, #result)
    assert.equal(refused, result[500].cause)
  end)

  it("returns a result under every key that an id was given with", function()
    local result = run({ 7, "7", 8 }, answer)
    assert.equal(result[7], result["7"])
    assert.is_nil(result["8"])
    assert.equal("8", result[8].order)
  end)

  it("reports whether a failed write may have been carried out", function()
    local lost = errors.new { kind = "timeout", code = "timeout", action = "cancel", message = "late",
      uncertain = true }
    assert.same({ order = 9, error = "late", code = "timeout", cause = lost, uncertain = true },
      batch.failed("cancel", { "9" }, lost)["9"])
    assert.is_nil(batch.failed("cancel", { "9" }, failure "reset")["9"].uncertain)
    assert.equal(9, batch.failed("refill_status", { "9" }, lost)["9"].refill)
  end)
end)

describe("functions that run concurrently", function()
  it("run in a coroutine of a foreign scheduler", function()
    local seen = {}
    local co = coroutine.wrap(function()
      loops.side_by_side(blocking, {
        function() blocking.sleep(0.01) seen[#seen + 1] = "slow" end,
        function() seen[#seen + 1] = "quick" end,
      }, 2)
      return "done"
    end)
    assert.equal("done", co())
    assert.same({ "quick", "slow" }, seen)
  end)

  it("may run other functions concurrently", function()
    local seen = 0
    local function leaf() blocking.sleep(0.001) seen = seen + 1 end
    local function branch() loops.side_by_side(blocking, { leaf, leaf, leaf }, 2) end
    loops.side_by_side(blocking, { branch, branch, branch }, 3)
    assert.equal(9, seen)
  end)

  it("throw the error of one of them, when all have ended", function()
    local ended = false
    local mine = {}
    local ok, thrown = pcall(loops.side_by_side, blocking, {
      function() error(mine) end,
      function() blocking.sleep(0.01) ended = true end,
    }, 2)
    assert.is_false(ok)
    assert.equal(mine, thrown)
    assert.is_true(ended)
  end)
end)
