--- Makes small gzip files that inflate to much: white space with `{}` behind it. Runs in nginx,
-- with the zlib that nginx itself is linked to.
-- @module smmpanel.sandbox.bomb

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
const char *zlibVersion(void);
]]

local zlib = ffi.load("libz.so.1")

local bomb = {}

local PIECE = 1024 * 1024
local GZIP_WINDOW = 15 + 16 -- zlib's way to ask for a gzip header
local NO_FLUSH, FINISH = 0, 4

local function new_stream()
  local z = ffi.new("sandbox_z_stream")
  local ok = zlib.deflateInit2_(z, 9, 8, GZIP_WINDOW, 9, 0, zlib.zlibVersion(), ffi.sizeof(z))
  assert(ok == 0, "zlib does not start")
  return ffi.gc(z, zlib.deflateEnd)
end

local function deflate(z, out, room, text, flush)
  z.next_in, z.avail_in = text, #text
  repeat
    z.next_out, z.avail_out = room, PIECE
    zlib.deflate(z, flush)
    out[#out + 1] = ffi.string(room, PIECE - z.avail_out)
  until z.avail_out > 0
end

-- Compresses what `next_piece` gives until it gives nil. Others are served in between.
local function gzip(next_piece)
  local z, out, room = new_stream(), {}, ffi.new("char[?]", PIECE)
  local text = next_piece()
  while text do
    deflate(z, out, room, text, NO_FLUSH)
    ngx.sleep(0.001)
    text = next_piece()
  end
  deflate(z, out, room, "", FINISH)
  return table.concat(out)
end

local function spaces(size)
  local block, left = (" "):rep(PIECE), size
  return function()
    if left <= 0 then
      return nil
    end
    left = left - PIECE
    return left > 0 and block or block .. "{}"
  end
end

local function once(text)
  local given = false
  return function()
    if not given then
      given = true
      return text
    end
  end
end

local made = {}

--- A gzip file of `size` bytes, compressed `levels` times.
---@param size integer
---@param levels integer
---@return string
function bomb.make(size, levels)
  local name = size .. "/" .. levels
  if not made[name] then
    made[name] = gzip(levels > 1 and once(bomb.make(size, levels - 1)) or spaces(size))
  end
  return made[name]
end

return bomb
