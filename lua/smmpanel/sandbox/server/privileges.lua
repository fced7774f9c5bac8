--- Gives up root. Runs in nginx, whose one process would otherwise answer as root where root started it.
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

--- Becomes the user nobody, if this is root. Throws where that fails.
function privileges.drop()
  local C = ffi.C
  if C.getuid() ~= 0 then return end
  local nobody = C.getpwnam "nobody"
  assert(nobody ~= nil, "there is no user nobody to become")
  local uid, gid = nobody.uid, nobody.gid
  assert(C.setgroups(0, nil) == 0 and C.setgid(gid) == 0 and C.setuid(uid) == 0, "cannot become the user nobody")
end

return privileges
