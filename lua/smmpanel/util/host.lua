--- Which of the programs that load all modules at their start runs this code. Asked once: the answer cannot change.
-- @module smmpanel.util.host

local core = rawget(_G, "core")

return {
  nginx = rawget(_G, "ngx") ~= nil,
  frames = rawget(_G, "love") ~= nil or rawget(_G, "minetest") ~= nil,
  haproxy = type(core) == "table" and core.register_task ~= nil,
}
