--- The output of `make test`: a line for each spec file as it ends, one for each skipped spec with its reason, and then
-- busted's own summary and failures. An output handler of busted: busted -o tools/progress.lua
local busted = require "busted"
local system = require "system"

local function one_line(text)
  return (tostring(text or "no reason given"):gsub("%s+", " "))
end

local function counts_text(counts)
  local parts = { ("%d passed"):format(counts.success or 0) }
  local failed = (counts.failure or 0) + (counts.error or 0)
  if failed > 0 then parts[#parts + 1] = ("%d FAILED"):format(failed) end
  if counts.pending then parts[#parts + 1] = ("%d skipped"):format(counts.pending) end
  return table.concat(parts, ", ")
end

return function(options)
  options.deferPrint = true -- no dot for each spec
  local handler = require "busted.outputHandlers.plainTerminal"(options)
  local counts, started = {}, system.monotime()

  local function count(kind)
    counts[kind] = (counts[kind] or 0) + 1
    return nil, true
  end

  busted.subscribe({ "file", "start" }, function()
    counts, started = {}, system.monotime()
    return nil, true
  end)

  busted.subscribe({ "test", "end" }, function(_, _, status) return count(status) end)

  -- An error outside a spec, as in a file that does not compile.
  busted.subscribe({ "error" }, function(element)
    return element.descriptor ~= "it" and count "error" or nil, true
  end)

  busted.subscribe({ "file", "end" }, function(file)
    io.write(("progress: %-36s %s (%.1f s)\n"):format(file.name, counts_text(counts), system.monotime() - started))
    io.flush()
    return nil, true
  end)

  busted.subscribe({ "suite", "end" }, function()
    for _, skipped in ipairs(handler.pendings) do
      io.write(("skipped: %s: %s: %s\n"):format(one_line(skipped.trace and skipped.trace.short_src),
        skipped.name, one_line(skipped.message)))
    end
    handler.pendings = {}
    return nil, true
  end, { priority = 1 })

  return handler
end
