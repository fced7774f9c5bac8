-- The sandbox over real HTTP, with the curl program as the client, and the server's own counts.
local assert = require "luassert"
local busted = require "busted"
local server = require "smmpanel.sandbox.server"
local system = require "spec.support.system"

local http = {}

http.KEY = "0123456789abcdef0123456789abcdef"
http.BALANCE = '{"balance":"100.84292","currency":"USD"}'
http.ADD = "action=add&service=1&quantity=50&link="

local output, read = system.output, system.read
local sandbox = {}
local scratch = os.tmpname()

-- The beginning of the names of temporary files.
http.scratch = scratch

--- Starts a sandbox for the specs of this file, in its initial state for each. Returns it, usable within specs.
function http.sandbox()
  busted.setup(function()
    setmetatable(sandbox, { __index = assert(server.start { key = http.KEY, services = 3000 }) })
  end)
  busted.teardown(function()
    local log = sandbox.stop and read(sandbox.dir .. "/error.log") or ""
    if sandbox.stop then sandbox.stop() end
    os.execute(("rm -f '%s' '%s'.*"):format(scratch, scratch))
    assert.is_nil(log:find "lua entry thread aborted")
  end)
  busted.before_each(function() http.control "/reset" end)
  return sandbox
end

--- Runs a command, and returns its exit code.
function http.os_status(command)
  local first, _, code = os.execute(command)
  return code or first
end

--- Runs curl. Returns its exit code, the status, the headers in lower case, the body, the seconds.
function http.curl(url, fields, options)
  local data = fields and (" -d '%s'"):format(fields) or ""
  local command = "curl -sS -g -m 20 %s%s -D %s.head -o %s.body -w '%%{http_code} %%{http_version} " ..
    "%%{time_total}' '%s' 2>%s.errors; echo \" $?\""
  local written = output(command:format(options or "", data, scratch, scratch, url, scratch))
  local status, version, seconds, code = written:match "^(%d+) (%S+) ([%d.]+) (%d+)"
  local headers, body = read(scratch .. ".head"):lower(), io.open(scratch .. ".body", "rb")
  return { code = tonumber(code), status = tonumber(status), http = version, seconds = tonumber(seconds),
           headers = headers, body = body and body:read "*a", closed = body and body:close() }
end

--- Sends a request under faults; `more` are arguments of curl.
function http.ask(fault, fields, more, url)
  os.remove(scratch .. ".body")
  io.open(scratch .. ".head", "wb"):close()
  local query = fault and "?fault=" .. fault or ""
  return http.curl((url or sandbox.url) .. query, "key=" .. http.KEY .. "&" .. (fields or "action=balance"), more)
end

--- Returns the value of a header, in lower case.
function http.header(answer, name)
  return answer.headers:match("\n" .. name:lower():gsub("%-", "%%-") .. ": ([^\r\n]*)")
end

--- Calls a control, and returns its answer.
function http.control(path)
  return output(("curl -sS -g -m 20 -X POST '%s%s'"):format(sandbox.control, path))
end

--- Returns one of the counts of the requests with a name.
function http.count_of(name, what)
  return tonumber(http.control("/stats?name=" .. name):match('"' .. what .. '":(%d+)'))
end

--- Returns the number of orders for a link.
function http.orders_of(link)
  return select(2, http.control("/orders?link=" .. link):gsub('"order":', ""))
end

--- Returns true once the check is true; nil after ten seconds.
function http.wait_for(check)
  for _ = 1, 200 do
    if check() then return true end
    os.execute "sleep 0.05"
  end
end

--- Returns whether a process has ended.
function http.is_gone(pid)
  return http.os_status(("kill -0 %d 2>/dev/null"):format(pid)) ~= 0
end

local serial = 0

--- Returns a word that no other spec uses.
function http.fresh(prefix)
  serial = serial + 1
  return prefix .. serial
end

return http
