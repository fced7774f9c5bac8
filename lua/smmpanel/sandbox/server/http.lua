--- The panel behind its URL: reads a request, asks the panel, answers as the faults have it. Runs
-- in nginx, in one process, so that what it knows is simply there.
-- @module smmpanel.sandbox.server.http

local faults = require "smmpanel.sandbox.faults"
local form = require "smmpanel.sandbox.server.form"
local panel = require "smmpanel.sandbox.panel"
local stats = require "smmpanel.sandbox.server.stats"
local wire = require "smmpanel.sandbox.server.wire"

-- luacheck: globals ngx

local http = {}

local state -- all there is: { options, panel, stats, counts, windows, offset, faults }

local function now()
  return ngx.now() + state.offset
end

--- Everything as it was when the server started.
function http.reset()
  state.offset, state.counts, state.windows, state.faults = 0, {}, {}, {}
  state.stats = stats.new()
  local options = { now = now }
  for name, value in pairs(state.options) do
    options[name] = value
  end
  state.panel = panel.new(options)
end

--- Called once, as the server starts.
---@param options table as for `panel.new`, without the clock
function http.start(options)
  state = { options = options }
  http.reset()
end

--- What the control endpoint works on.
---@return table state
function http.state()
  return state
end

local function plain(status, text)
  ngx.status = status
  ngx.header["Content-Type"] = "text/plain; charset=UTF-8"
  ngx.print(text, "\n")
end

local function read_fields()
  ngx.req.read_body()
  return form.parse(ngx.req.get_body_data())
end

local function path_faults()
  return ngx.var.uri:match("^/fault/([^/]+)/")
end

-- The faults a request asks for itself, in the path or the query, else those set for all.
local function asked_faults(query)
  local text = query.fault or path_faults()
  if text then
    return { text = text, on = query.on }
  end
  return state.faults
end

local function is_on(on, action)
  return not on or ("," .. on .. ","):find("," .. (action or "") .. ",", 1, true) ~= nil
end

local function plan_for(asked, name, action)
  local specs, problem = faults.parse(is_on(asked.on, action) and asked.text or nil)
  if problem then
    return nil, problem
  end
  state.counts[name] = state.counts[name] or {}
  return faults.plan(faults.due(specs, state.counts[name]))
end

local function limit(plan, fields, name)
  local headers, refused = faults.limited(state.windows, name .. " " .. (fields.key or ""), plan.limit, now())
  for header, value in pairs(headers) do
    plan.headers[header] = value
  end
  if refused then
    plan.answer = { status = 429, type = "application/json", body = '{"error":"Too many requests"}' }
  end
end

-- The action is carried out before any wait, but for a late one, that is carried out after its
-- wait even if nobody waits with it.
local function carry_out(plan, fields, name)
  if plan.late then
    ngx.on_abort(function() end)
    ngx.sleep(plan.late)
  end
  local before = #state.panel.made
  local status, headers, body = state.panel:handle(fields, plan.shapes)
  stats.made(state.stats, name, #state.panel.made - before)
  return status, headers, body
end

local function answer(plan, fields, name)
  if plan.limit then
    limit(plan, fields, name)
  end
  local status, headers, body = 200, { ["Content-Type"] = "application/json" }, ""
  if plan.made or not (plan.answer or plan.close or plan.stream) then
    status, headers, body = carry_out(plan, fields, name)
  end
  if plan.answer then
    status, headers, body = plan.answer.status, { ["Content-Type"] = plan.answer.type }, plan.answer.body
  end
  wire.wait(plan)
  if plan.close then
    stats.finish(state.stats) -- what is known of the request does not survive the way to a reset
    return wire.close(plan.close)
  end
  return wire.answer(plan, status, headers, body)
end

--- Answers a request to the panel's URL.
function http.serve()
  local query = form.parse(ngx.var.args)
  local asked = asked_faults(query)
  local name = query.name or asked.text or ""
  stats.begin(state.stats, name)
  local plan, problem
  if not asked.on then
    plan, problem = plan_for(asked, name)
  end
  if plan and plan.close == "unread" then
    return wire.close("unread")
  end
  local fields = ngx.req.get_method() == "POST" and read_fields() or {}
  stats.read(state.stats, name, fields)
  if asked.on then
    plan, problem = plan_for(asked, name, fields.action)
  end
  if not plan then
    return plain(400, "sandbox: " .. problem)
  end
  return answer(plan, fields, name)
end

--- The page a redirect leads to. Whoever comes here has followed it, which is counted.
function http.maintenance()
  state.stats.maintenance = state.stats.maintenance + 1
  plain(503, "We will be back soon.")
end

--- Called when a request is over, however it ended.
function http.log()
  if state then
    stats.finish(state.stats)
  end
end

return http
