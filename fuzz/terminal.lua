-- Runs one command against a panel whose texts are full of terminal control sequences: tools/terminal replays the
-- output.
--
--     lua fuzz/terminal.lua COMMAND...
local abi = _VERSION:match "[%d.]+$"
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
package.cpath = "build/" .. abi .. "/?.so;" .. package.cpath

local smmpanel = require "smmpanel"

-- The clipboard, the title, a cleared screen, C1's CSI, a string of DCS, the direction, a forged line.
local NASTY = "\27]52;c;aGk=\7\27]0;stolen\7\27[2J\194\15531mX\27P$q\27\\\226\128\174gpj\r\nforged line\8\8"

local function escaped(s)
  return (s:gsub('[%z\1-\31"\\]', function(char) return ("\\u%04x"):format(char:byte()) end))
end

local N = escaped(NASTY)

local BODIES = {
  balance = '{"balance":"1.5","currency":"' .. N .. '"}',
  status = '{"charge":"1","status":"' .. N .. '","remains":"' .. N .. '","currency":"' .. N .. '"}',
  services = '[{"service":1,"name":"' .. N .. '","type":"Default","category":"' .. N
    .. '","rate":"0.9","min":"1","max":"9"}]',
  refill = '{"error":"' .. N .. '"}', cancel = "<html><title>" .. NASTY .. "</title></html>",
  add = '{"error":"' .. N .. '"}',
}

local new = smmpanel.new
function smmpanel.new(options)
  options.transport = function(request)
    return { status = 200, headers = { ["content-type"] = "application/json" }, body = BODIES[request.action] or "{}" }
  end
  return new(options)
end

os.exit(require("smmpanel.cli").main(arg), true)
