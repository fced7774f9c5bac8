-- An editor in a terminal in which Ctrl-C is pressed while calls block.
local INNER = [[
  local core, scenario = require "smmpanel.core", require "spec.loops.support.scenario"
  local panel = scenario.panel "latency:20"
  local function timed(name, f)
    local begun = core.now()
    local ok, record, err = pcall(f)
    local said = ok and tostring(err and err.kind) or record
    vim.fn.writefile({ ("%s %s %s"):format(name, core.now() - begun < 15 and "early" or "late", said) },
      vim.env.SPEC_OUT, "a")
  end
  timed("call", function() return panel:balance() end)
  timed("write", function()
    local made, err = panel:add { service = 1, link = "https://example.com/1", quantity = 100 }
    return made, { kind = err.kind .. (err.uncertain and " uncertain" or "") }
  end)
  timed("batch", function() return panel:status({ 1, 2, 100 }, { batch_size = 1 }) end)
  vim.wait(1500) -- for a Ctrl-C that came late
  timed("again", function() return scenario.panel():balance() end)
  vim.cmd "qall!"
]]

local out, script = vim.fn.tempname(), vim.fn.tempname()
vim.fn.writefile(vim.split(INNER, "\n"), script)
local job = vim.fn.jobstart({ "nvim", "-u", "NONE", "-i", "NONE", "-n", "-c", "luafile " .. script },
  { pty = true, env = { SPEC_OUT = out, TERM = "xterm" } })

local function ended()
  return vim.fn.filereadable(out) == 1 and #vim.fn.readfile(out) or 0
end

-- Pressed repeatedly: the editor decides when the first one counts. Not in the last call, which must succeed.
for _ = 1, 50 do
  vim.wait(700, function() return vim.fn.jobwait({ job }, 0)[1] ~= -1 end)
  if ended() < 3 and not pcall(vim.fn.chansend, job, "\3") then break end
  if vim.fn.jobwait({ job }, 0)[1] ~= -1 then break end
end
io.stdout:write("\n", table.concat(vim.fn.readfile(out), "\n"), "\n")
vim.cmd "qall!"
