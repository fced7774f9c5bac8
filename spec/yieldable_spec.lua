local core = require "smmpanel.core"

-- Lua 5.3 and later and LuaJIT can tell whether a coroutine can be suspended; PUC 5.1 and 5.2 cannot.
local known = type(jit) == "table" or not (_VERSION == "Lua 5.1" or _VERSION == "Lua 5.2")

describe("core.is_yieldable", function()
  if not known then
    it("is absent if Lua cannot tell", function() assert.is_nil(core.is_yieldable) end)
    return
  end

  local function in_coroutine(f)
    local ok, found = coroutine.resume(coroutine.create(f))
    assert.is_true(ok, found)
    return found
  end

  it("is true in a coroutine and below pcall", function()
    assert.is_true(in_coroutine(core.is_yieldable))
    assert.is_true(in_coroutine(function() return core.is_yieldable() end))
    assert.is_true(in_coroutine(function() return select(2, pcall(core.is_yieldable)) end))
  end)

  it("is false below a C function that cannot be suspended", function()
    assert.is_false(in_coroutine(function()
      local found
      string.gsub("a", ".", function() found = core.is_yieldable() end)
      return found
    end))
    assert.is_false(in_coroutine(function()
      local found
      table.sort({ 2, 1 }, function(a, b)
        found = core.is_yieldable()
        return a < b
      end)
      return found
    end))
  end)

  it("agrees with coroutine.isyieldable", function()
    if not coroutine.isyieldable then return end
    assert.equal(coroutine.isyieldable(), core.is_yieldable())
    assert.is_true(in_coroutine(function() return core.is_yieldable() == coroutine.isyieldable() end))
  end)
end)
