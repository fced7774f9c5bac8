-- The data of broken and hostile panels, byte for byte: { name, script, kind, code }; kind "ok" if it is an answer
-- after all, nil if both are acceptable.
local raw = require "spec.support.raw"
local system = require "spec.support.system"

local OK = "HTTP/1.1 200 OK\r\n"
local BODY = '{"balance":"1.5"}'
local GOOD = raw.answer '{"balance":"1.5","currency":"USD"}'

local hostile = { OK = OK, BODY = BODY, GOOD = GOOD }

local function packed(text)
  local name = system.write(os.tmpname(), text)
  local bytes = system.output("gzip -9 -n -c " .. name)
  os.remove(name)
  return bytes
end

local GZIP_HEADER = "\31\139\8\0\0\0\0\0\0\3"

-- Appends a number's bits, the lowest first; a Huffman code is written with its highest first.
local function put(bits, n, count)
  for _ = 1, count do
    bits[#bits + 1] = n % 2
    n = math.floor(n / 2)
  end
end

local function put_code(bits, code, count)
  for i = count - 1, 0, -1 do bits[#bits + 1] = math.floor(code / 2 ^ i) % 2 end
end

local function put_literal(bits, byte)
  if byte < 144 then put_code(bits, 0x30 + byte, 8) else put_code(bits, 0x190 + byte - 144, 9) end
end

local function to_bytes(bits)
  local bytes = {}
  for i = 1, #bits - 7, 8 do
    local byte = 0
    for k = 7, 0, -1 do byte = byte * 2 + bits[i + k] end
    bytes[#bytes + 1] = string.char(byte)
  end
  return table.concat(bytes)
end

-- An endless stream is a prefix and a unit that repeats. In gzip, each 1032 bytes of it become 7, again a unit that
-- repeats: four matches of 258 bytes, as far back as the unit is long (5 or 7 bytes).
local function compress(prefix, unit)
  local bits = {}
  put(bits, 2, 3) -- not the last block, fixed codes
  for byte in (prefix .. unit):gmatch "." do put_literal(bits, byte:byte()) end
  local first = math.ceil(#bits / 8)
  for _ = 1, 16 do
    put_code(bits, 0xC5, 8)
    put_code(bits, #unit == 5 and 4 or 5, 5)
    put(bits, 0, 1)
  end
  local bytes = to_bytes(bits)
  return GZIP_HEADER .. bytes:sub(1, first), bytes:sub(first + 1, first + 7)
end

--- Gzip without a byte of content: endless empty blocks (of 10 bits each), compressed this many more times.
local function nothing(levels)
  local prefix, unit = GZIP_HEADER, "\2\8\32\128\0"
  for _ = 1, levels do prefix, unit = compress(prefix, unit) end
  return prefix, unit
end

local function bytes_of(levels, size)
  local prefix, unit = nothing(levels)
  return prefix .. unit:rep(math.floor((size - #prefix) / #unit))
end

local function encoded(...)
  local headers = {}
  for i, name in ipairs { ... } do headers[i] = "Content-Encoding: " .. name .. "\r\n" end
  return table.concat(headers)
end

-- 9 kB that keep three nested decoders busy for minutes without producing a byte.
local NOTHING = bytes_of(2, 9000)
local NOTHING_PREFIX, NOTHING_UNIT = nothing(0)

hostile.BOMBS = {
  { "stacked encodings, told apart by a line that looks like a status",
    { OK .. encoded "gzip" .. "HTTP/x: y\r\n" .. encoded "gzip" .. "HTTP/x: y\r\n" .. encoded "gzip"
      .. "\r\n" .. NOTHING, raw.WAIT }, "response", "encoding" },
  { "stacked encodings in one line", { OK .. "Content-Encoding: gzip, gzip, gzip\r\n\r\n" .. NOTHING, raw.WAIT },
    "response", "encoding" },
  { "stacked transfer encodings", { OK .. "Transfer-Encoding: gzip, gzip, gzip, chunked\r\n\r\n"
    .. ("%x\r\n"):format(#NOTHING) .. NOTHING, raw.WAIT }, "response", "encoding" },
  { "one transfer encoding", { OK .. "Transfer-Encoding: gzip\r\n\r\n" .. NOTHING, raw.WAIT }, "response", "encoding" },
  { "gzip of gzip of gzip without content", { OK .. encoded "gzip" .. "\r\n" .. NOTHING, raw.WAIT }, nil, nil },
  { "gzip of endless blocks without content", { OK .. encoded "gzip" .. "\r\n" .. NOTHING_PREFIX,
    { 100000000, NOTHING_UNIT } }, "response", "too_large" },
  { "gzip of 64 MB of spaces", { OK .. encoded "gzip" .. "\r\n" .. packed((" "):rep(64 * 1024 * 1024)), raw.WAIT },
    "response", "too_large" },
  { "gzip behind an interim answer that has gzip too",
    { "HTTP/1.1 103 Early Hints\r\n" .. encoded "gzip" .. "\r\n" .. OK .. encoded "gzip" .. "Content-Length: "
      .. #packed(BODY) .. "\r\n\r\n" .. packed(BODY) }, "ok" },
  { "gzip that is cut", { OK .. encoded "gzip" .. "\r\n" .. packed(BODY):sub(1, -12) }, "network", "cut" },
  { "gzip with bytes behind it", { OK .. encoded "gzip" .. "\r\n" .. packed(BODY) .. "garbage" }, "ok" },
  { "brotli that nobody asked for", { OK .. encoded "br" .. "\r\n\11\2\128" }, "response", "encoding" },
  { "a character set for an encoding", { OK .. encoded "UTF-8" .. "\r\n" .. BODY }, "ok" },
  -- One line from libcurl 8.22 on, and then an empty answer.
  { "a header folded 20,000 times", { OK .. "X: y\r\n", { 20000, " y\r\n" }, "\r\n" }, nil, nil },
  { "6,400 headers with one name", { OK, { 6400, "a:b\r\n" }, "Content-Length: 17\r\n\r\n" .. BODY }, "network",
    "protocol" },
  { "20,000 headers", { OK, { 20000, "X:\r\n" }, "\r\n" }, "network", "protocol" },
  { "endless chunks of one byte", { OK .. "Transfer-Encoding: chunked\r\n\r\n", { 100000000, "1\r\n \r\n" } },
    nil, nil },
}

-- The data -> kind and code; "ok" if it is an answer after all.
hostile.CASES = {
  { "nothing, and closes", {}, "network", "reset" },
  { "nothing, and resets", { raw.RESET }, "network", "reset" },
  { "nothing, and closes its half", { raw.HALF, raw.WAIT }, "network", "reset" },
  { "nothing, and waits", { raw.WAIT }, "timeout", "timeout" },
  { "headers one byte at a time", { { drip = GOOD, pause = 0.1 } }, "timeout", "timeout" },
  { "a body one byte at a time", { OK .. "Content-Length: 17\r\n\r\n", { drip = BODY, pause = 0.1 } },
    "timeout", "timeout" },
  { "a slow answer that is in time", { 0.2, GOOD:sub(1, 40), 0.1, GOOD:sub(41) }, "ok" },
  { "endless headers", { OK, { 100000000, "X-A: b\r\n" } }, "network", "protocol" },
  { "one header of 1 MB", { OK, "X-A: ", { 1048576, "b" }, "\r\n\r\n" }, "network", "protocol" },
  { "a status line of 1 MB", { "HTTP/1.1 200 ", { 1048576, "b" }, "\r\n\r\n" }, "network", "protocol" },
  { "endless 100 Continue", { { 100000000, "HTTP/1.1 100 Continue\r\n\r\n" } }, "network", "protocol" },
  { "100 Continue, then the answer", { "HTTP/1.1 100 Continue\r\n\r\n", GOOD }, "ok" },
  { "103 Early Hints, then the answer", { "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", GOOD }, "ok" },
  { "101 Switching Protocols", { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "\0\1\2\3" },
    "http", "status" },
  { "a Content-Length that is too long", { OK .. "Content-Length: 99\r\n\r\n" .. BODY }, "network", "cut" },
  { "a Content-Length that is too short", { OK .. "Content-Length: 5\r\n\r\n" .. BODY }, "response", "not_json" },
  { "a negative Content-Length", { OK .. "Content-Length: -5\r\n\r\n" .. BODY }, "network", "protocol" },
  { "a Content-Length that is not a number", { OK .. "Content-Length: many\r\n\r\n" .. BODY }, nil, nil },
  { "a Content-Length beyond 64 bits", { OK .. "Content-Length: 99999999999999999999999\r\n\r\n" .. BODY },
    nil, nil },
  { "a Content-Length of 1 TB", { OK .. "Content-Length: 1099511627776\r\n\r\n" .. BODY }, "response", "too_large" },
  { "two Content-Lengths that differ", { OK .. "Content-Length: 17\r\nContent-Length: 5\r\n\r\n" .. BODY }, nil, nil },
  { "chunks of no hexadecimal size", { OK .. "Transfer-Encoding: chunked\r\n\r\nzz\r\n" .. BODY },
    "network", nil },
  { "a chunk larger than 64 bits", { OK .. "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n" .. BODY },
    "network", nil },
  { "chunks without their end", { OK .. "Transfer-Encoding: chunked\r\n\r\n11\r\n" .. BODY .. "\r\n" },
    "network", "cut" },
  { "chunks and a length at once", { OK .. "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n11\r\n" .. BODY
    .. "\r\n0\r\n\r\n" }, "ok" },
  { "chunks with trailers", { OK .. "Transfer-Encoding: chunked\r\n\r\n11\r\n" .. BODY .. "\r\n0\r\nX: y\r\n\r\n" },
    "ok" },
  { "endless trailers", { OK .. "Transfer-Encoding: chunked\r\n\r\n11\r\n" .. BODY .. "\r\n0\r\n",
    { 100000000, "X-A: b\r\n" } }, "network", "protocol" },
  { "an endless chunk extension", { OK .. "Transfer-Encoding: chunked\r\n\r\n11;", { 100000000, "a=b;" } }, nil, nil },
  { "an endless body", { OK .. "\r\n[", { 100000000, "1,1,1,1," } }, "response", "too_large" },
  { "false gzip", { OK .. "Content-Encoding: gzip\r\n\r\n" .. BODY }, "response", "encoding" },
  { "gzip that is cut", { OK .. "Content-Encoding: gzip\r\n\r\n\31\139\8\0\0\0\0\0\0\3\171\86" }, nil, nil },
  { "an encoding that nobody knows", { OK .. "Content-Encoding: rot13\r\n\r\n" .. BODY }, "response", "encoding" },
  { "encodings on encodings", { OK .. "Content-Encoding: gzip, gzip, gzip\r\n\r\n" .. BODY }, "response", "encoding" },
  { "HTTP/0.9", { BODY }, "network", "protocol" },
  { "another protocol", { "SSH-2.0-OpenSSH_9.2\r\n" }, "network", "protocol" },
  { "HTTP/9.9", { "HTTP/9.9 200 OK\r\n\r\n" .. BODY }, "network", "protocol" },
  { "a status of no digits", { "HTTP/1.1 abc OK\r\n\r\n" .. BODY }, "network", "protocol" },
  { "204 with a body", { "HTTP/1.1 204 No Content\r\nContent-Length: 17\r\n\r\n" .. BODY }, "response", "empty" },
  { "304", { "HTTP/1.1 304 Not Modified\r\n\r\n" }, "http", nil },
  { "a redirect", { "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" }, "http",
    "redirect" },
  { "a NUL in a header", { OK .. "X: a\0b\r\nContent-Length: 17\r\n\r\n" .. BODY }, nil, nil },
  { "headers without a colon", { OK .. "nonsense\r\nContent-Length: 17\r\n\r\n" .. BODY }, nil, nil },
  { "headers ended by line feeds alone", { "HTTP/1.1 200 OK\nContent-Length: 17\n\n" .. BODY }, "ok" },
  { "an answer and then more than was asked", { GOOD, GOOD }, "ok" },
  { "half an answer, then a reset", { OK .. "Content-Length: 17\r\n\r\n" .. BODY:sub(1, 9), 0.1, raw.RESET },
    "network", "reset" },
  { "a Retry-After of a thousand years", { raw.answer("", "Retry-After: 31536000000\r\n", "429 X") }, "http",
    "rate_limited" },
}

--- Writes the URLs of the servers for an nginx worker, which is another user: `good`, and one for each case.
---@param good table a raw server
---@param bad table a raw server
---@param cases table[]
---@return string path
function hostile.write_urls(good, bad, cases)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(("return { good = %q,\n"):format(good.url { hostile.GOOD }))
  for _, case in ipairs(cases) do file:write(("%q,\n"):format(bad.url(case[2]))) end
  file:write "}\n"
  file:close()
  os.execute("chmod 644 " .. path)
  return path
end

return hostile
