-- translate.lua - the ALB translation inside nginx, as one would write it in lua
local cjson = require "cjson"

local req = ngx.req
local body, base64 = "", false
req.read_body()
local data = req.get_body_data()
if data then
	local kind = ngx.var.content_type or ""
	if kind:find("^text/") or kind:find("^application/json") then
		body = data
	else
		body, base64 = ngx.encode_base64(data), true
	end
end

local headers = req.get_headers(100)
headers["x-forwarded-for"] = ngx.var.proxy_add_x_forwarded_for
headers["x-forwarded-proto"] = ngx.var.scheme
headers["x-forwarded-port"] = ngx.var.server_port
headers["x-amzn-trace-id"] = "Root=1-" .. ngx.var.request_id
local query = req.get_uri_args(100)

local event = cjson.encode {
	requestContext = { elb = { targetGroupArn =
	    "arn:aws:elasticloadbalancing:us-east-1:123456789012:" ..
	    "targetgroup/hosted/0123456789abcdef" } },
	httpMethod = req.get_method(),
	path = ngx.var.uri,
	queryStringParameters = query,
	headers = setmetatable(headers, nil),
	body = body,
	isBase64Encoded = base64,
}

local got = ngx.location.capture("/invoke", {
	method = ngx.HTTP_POST, body = event })
local ok, result = pcall(cjson.decode, got.body)
if not ok or type(result.statusCode) ~= "number" then
	return ngx.exit(502)
end
ngx.status = result.statusCode
for name, value in pairs(result.headers or {}) do
	ngx.header[name] = value
end
local out = result.body or ""
if result.isBase64Encoded then
	out = ngx.decode_base64(out)
end
ngx.header["content-length"] = #out
ngx.print(out)
