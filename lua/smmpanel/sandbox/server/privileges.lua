--- Drops root. Runs in nginx: its one process would otherwise answer as root if root started it.
-- @module smmpanel.sandbox.server.privileges

local ffi = require "ffi"

ffi.cdef [[
unsigned getuid(void);
int setgroups(size_t, const unsigned *);
int setgid(unsigned);
int setuid(unsigned);
struct sandbox_passwd { char *name; char *password; unsigned uid; unsigned gid; };
struct sandbox_passwd *getpwnam(const char *);
]]

local privileges = {}

--- Changes to the user nobody if this is root. Throws if that fails.
function privileges.drop()
  local C = ffi.C
  if C.getuid() ~= 0 then return end
  local nobody = C.getpwnam "nobody"
  assert(nobody ~= nil, "this system has no user nobody")
  local uid, gid = nobody.uid, nobody.gid
  assert(C.setgroups(0, nil) == 0 and C.setgid(gid) == 0 and C.setuid(uid) == 0, "cannot change to the user nobody")
end

return privileges
