--- Which of the programs that never load a module late runs this code. Asked once: the answer cannot change.
-- @module smmpanel.util.host

local core = rawget(_G, "core")

return {
  nginx = rawget(_G, "ngx") ~= nil,
  haproxy = type(core) == "table" and core.register_task ~= nil,
}
