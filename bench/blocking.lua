-- libcurl's easy interface through LuaJIT's FFI. It blocks: in a handler the whole worker, in a worker thread that
-- thread.
local ffi = require "ffi"
local cjson = require "cjson"

ffi.cdef [[
  typedef size_t (*bench_write)(char *data, size_t size, size_t count, void *user);
  void *curl_easy_init(void);
  int curl_easy_setopt(void *easy, int option, ...);
  int curl_easy_perform(void *easy);
]]

local curl = ffi.load "libcurl.so.4"
local WRITEFUNCTION, URL, POSTFIELDS, NOSIGNAL = 20011, 10002, 10015, 99

local blocking = {}
local easy, parts

local function prepare(url)
  easy = curl.curl_easy_init()
  curl.curl_easy_setopt(easy, URL, ffi.cast("const char *", url))
  curl.curl_easy_setopt(easy, POSTFIELDS, ffi.cast("const char *", "key=K&action=balance"))
  curl.curl_easy_setopt(easy, NOSIGNAL, ffi.cast("long", 1))
  curl.curl_easy_setopt(easy, WRITEFUNCTION, ffi.cast("bench_write", function(data, size, count)
    parts[#parts + 1] = ffi.string(data, size * count)
    return size * count
  end))
end

-- A callback from C must not run in compiled code.
local function perform() return curl.curl_easy_perform(easy) end
require "jit".off(perform)

function blocking.balance(url)
  if not easy then prepare(url) end
  parts = {}
  assert(perform() == 0)
  return cjson.decode(table.concat(parts)).balance
end

return blocking
