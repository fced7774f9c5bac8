-- Writes the seeds of the fuzz targets: `lua5.4 fuzz/seeds.lua DIRECTORY`, which has json/, form/, response/.
-- The seeds are documented answers and the small ones of real panels (spec/data/recorded.jsonl).
local cjson = require "cjson"

local LARGEST = 1500

local directory = assert(arg[1], "which directory?")
local actions = { "services", "add", "status", "refill", "refill_status", "cancel", "balance", "" }
local number_of = {}
for i, name in ipairs(actions) do number_of[name] = i - 1 end

local documented = {
  services = { [=[[{"service":1,"name":"Followers","type":"Default","category":"First Category","rate":"0.90",]=]
    .. [=["min":"50","max":"10000","refill":true,"cancel":true}]]=], "[]", '{"services":[{"service":"ord_1"}]}' },
  add = { '{"order":23501}', '{"order":"23501"}', '{"status":100,"order":7}', '{"error":"neworder.error.link"}' },
  status = { '{"charge":"0.27819","start_count":"3572","status":"Partial","remains":"157","currency":"USD"}',
    '{"1":{"charge":"0.27819","start_count":null,"status":"Partial","remains":"+12"},' ..
      '"10":{"error":"Incorrect order ID"}}',
    '{"status":"Active","expiry":"","posts":"4","orders":["1","2"]}', '["Incorrect order ID",{"order":1}]' },
  refill = { '{"refill":"1"}', '[{"order":1,"refill":1},{"order":3,"refill":{"error":"Incorrect order ID"}}]' },
  refill_status = { '{"status":"Completed"}', '[{"refill":1,"status":"Completed"}]' },
  cancel = { '[{"order":9,"cancel":{"error":"Incorrect order ID"}},{"order":2,"cancel":1}]',
    '{"4218":{"cancel":"requested"}}' },
  balance = { '{"balance":"100.84292","currency":"USD"}', '{"balance":0.08011655652}', '{"balance":1.1e-5}' },
  [""] = { "null", "", "\n", "<br />\n<b>Notice</b>: x in [php]\n{\"a\":[1,2.5,-0,true,null]}", "\239\187\191{}",
    [=[["\u00e9\ud83d\ude00\ud83d","\b\f\n\r\t\/\\\"",1e400,9223372036854775808,0.30000000000000004]]=] },
}

local written = 0
local function write(target, bytes)
  written = written + 1
  local file = assert(io.open(("%s/%s/seed-%04d"):format(directory, target, written), "wb"))
  file:write(bytes)
  file:close()
end

local function write_exchange(action, body, status)
  local number = number_of[action] or 7
  write("json", string.char(number, written % 251) .. body)
  local head = ("HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n"):format(status, #body)
  write("response", string.char(number, written % 251) .. head .. body)
end

for action, bodies in pairs(documented) do
  for _, body in ipairs(bodies) do write_exchange(action, body, 200) end
end
for line in io.lines "spec/data/recorded.jsonl" do
  local exchange = cjson.decode(line)
  local body = exchange.body
  if type(body) == "string" and #body <= LARGEST then
    write_exchange(exchange.request:match "action=([%w_]*)" or "", body, exchange.status)
  end
end

-- The position of an error had the index -1 if a piece ended within an escape or a character.
for _, wrong in ipairs { "\\q", "\\u12G4", "\\ud83d\\udcG0", "\\[1]", "\195(", "\226\130(", "\240\159(", "\255",
  "\1" } do
  for seed = 1, 8 do
    write("json", string.char(2, seed) .. '["' .. wrong .. '"]')
    write("json", string.char(2, seed) .. 'Notice: in ["' .. wrong .. ' {"order":7}')
  end
end

local chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"orde\r\n5\r\nr\":1}\r\n0\r\n\r\n"
write("response", "\1\7" .. chunked)
write("response", "\241\7" .. chunked) -- for two calls, and then with unsolicited bytes before the second
write("response", "\241\7" .. chunked .. chunked)
write("response", "\247\255HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"balance\":1}")
write("response", "\1\7HTTP/1.1 100 Continue\r\n\r\n" .. chunked)
write("response", "\6\7HTTP/1.0 200 OK\r\nRetry-After: 3\r\n\r\n{\"balance\":1}")
write("response", "\6\7HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
  .. "\31\139\8\0\0\0\0\0\0\3\171\86\74\74\204\73\204\75\78\85\178\50\172\5\0\8\218\184\202\13\0\0\0")
write("form", "\0\12link https://\0\4&=%+\1\8\0\0\0\0\0\0\0\128\2\8\0\0\0\0\0\0\248\63")

-- Whole answers in gzip, and encodings that libcurl would decompress without our limits.
local function gzip(text)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
  local pipe = assert(io.popen("gzip -9 -n -c " .. name))
  local bytes = pipe:read "*a"
  pipe:close()
  os.remove(name)
  return bytes
end

for _, head in ipairs { "Content-Encoding: gzip\r\n", "X-RateLimit-Reset: 1900000000\r\nContent-Encoding: x-gzip\r\n",
  "Transfer-Encoding: gzip\r\n", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n" } do
  for _, body in ipairs { '{"order":23501}', "[" .. ('{"service":1},'):rep(200) .. '{"service":2}]' } do
    local interim = "HTTP/1.1 103 Early Hints\r\n" .. head .. "\r\n"
    write("response", "\1\90" .. interim .. "HTTP/1.1 200 OK\r\n" .. head .. "\r\n" .. gzip(body))
  end
end
