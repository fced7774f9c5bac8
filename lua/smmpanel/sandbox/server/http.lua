--- Carries requests from nginx to the sandbox and its answers back. Runs in nginx, in one process.
-- @module smmpanel.sandbox.server.http

local backend = require "smmpanel.sandbox.backend"
local wire = require "smmpanel.sandbox.server.wire"

-- luacheck: globals ngx

local http = {}

local sandbox

--- Initialises the sandbox. Called once when the server starts.
---@param options table as for `backend.new`
---@param token string that requests to the controls must contain
function http.start(options, token)
  sandbox = backend.new(options, ngx.now)
  http.token = token
end

--- Returns the sandbox, for the control endpoint.
---@return table
function http.sandbox()
  return sandbox
end

local function plain(status, text)
  ngx.status = status
  ngx.header["Content-Type"] = "text/plain; charset=UTF-8"
  ngx.print(text, "\n")
end

local function head()
  local lines = { ngx.var.request_uri }
  for header, value in pairs(ngx.req.get_headers(0)) do
    lines[#lines + 1] = header .. ": " .. (type(value) == "table" and table.concat(value, ", ") or value)
  end
  return table.concat(lines, "\n")
end

local function read_body()
  ngx.req.read_body()
  return ngx.req.get_body_data()
end

local function wait_late(seconds)
  ngx.on_abort(function() end)
  ngx.sleep(seconds)
end

local function finish()
  local name = ngx.ctx.sandbox_name
  if not name then return end
  ngx.ctx.sandbox_name = nil
  sandbox:finish(name)
end

-- ngx.ctx does not survive the internal redirect that a reset needs, so the request is counted as finished before.
local function close(plan)
  wire.wait(plan)
  finish()
  return wire.close(plan.close)
end

--- Answers a request to the panel's URL.
function http.serve()
  local answer, name = sandbox:answer {
    method = ngx.req.get_method(), path = ngx.var.uri, query = ngx.var.args, head = head(),
    http = ngx.req.http_version() == 2 and "2" or "1.1", connection = ngx.var.connection,
    headers = { user_agent = ngx.var.http_user_agent, content_type = ngx.var.http_content_type,
      accept_encoding = ngx.var.http_accept_encoding },
    read_body = read_body, wait_late = wait_late,
  }
  ngx.ctx.sandbox_name = name
  if answer.problem then return plain(400, "sandbox: " .. answer.problem) end
  if answer.close == "unread" then return wire.close("unread") end
  if answer.close then return close(answer.plan) end
  wire.wait(answer.plan)
  return wire.answer(answer)
end

--- Answers with the page that the fault `redirect` points to.
function http.maintenance()
  sandbox:count_maintenance()
  plain(503, "We will be back soon.")
end

--- Counts a request as finished. Called when a request has ended in any way.
function http.log()
  if sandbox then finish() end
end

return http
