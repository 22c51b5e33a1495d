-- wrk.lua - the load of the bench: one kind of request, every response checked
--
-- BENCH_METHOD, BENCH_BODY (a file), BENCH_TYPE, BENCH_CLOSE say what is sent;
-- BENCH_LENGTH what must come back with 200.  The last line is for bench/run.
local want = tonumber(os.getenv("BENCH_LENGTH"))
bad = 0

wrk.method = os.getenv("BENCH_METHOD") or "GET"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
wrk.headers["Accept-Language"] = "en-GB,en;q=0.5"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
wrk.headers["Cookie"] = "session=0f9a1c2b3d4e5f60718293a4b5c6d7e8; theme=dark; visits=12"
wrk.headers["Referer"] = "http://shop.example.com/products?page=3"
wrk.headers["Cache-Control"] = "no-cache"
wrk.headers["Pragma"] = "no-cache"
wrk.headers["Sec-Fetch-Mode"] = "navigate"
wrk.headers["Sec-Fetch-Site"] = "same-origin"
wrk.headers["X-Request-Source"] = "bench"
local file = os.getenv("BENCH_BODY")
if file then
	local f = assert(io.open(file, "rb"))
	wrk.body = f:read("*a")
	f:close()
	wrk.headers["Content-Type"] = os.getenv("BENCH_TYPE")
end
if os.getenv("BENCH_CLOSE") then
	wrk.headers["Connection"] = "close"
end

local threads = {}
function setup(thread)
	table.insert(threads, thread)
end

function response(status, headers, body)
	if status ~= 200 or (want and #body ~= want) then
		bad = bad + 1
	end
end

function done(summary, latency, requests)
	local wrong, e = 0, summary.errors
	for _, thread in ipairs(threads) do
		wrong = wrong + thread:get("bad")
	end
	print(string.format("BENCH %d %d %d %d %d", summary.requests,
	    summary.duration, wrong,
	    e.connect + e.read + e.write + e.timeout, latency:percentile(50)))
end
