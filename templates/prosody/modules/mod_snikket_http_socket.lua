-- Offers Prosody's HTTP on a Unix socket as well: servers in other containers have no loopback with us, and a port of its own would be open to
-- whatever else is on their network. Who may come is settled by who can enter the socket's folder.
module:set_global();

local unix = require "socket.unix";
if type(unix) == "function" then unix = { stream = unix }; end
local server = require "prosody.net.server";
local http_server = require "prosody.net.http.server";
local pposix = require "prosody.util.pposix";

local path = module:get_option_string("snikket_http_socket");

local socket = unix.stream();
socket:settimeout(0);
os.remove(path);
-- Its folder says who can come here.
local usual = pposix.umask("000");
local bound, problem = socket:bind(path);
pposix.umask(usual);
assert(bound, problem);
assert(socket:listen());

local function accept()
	local client = socket:accept();
	if not client then return; end
	local conn = server.wrapclient(client, "127.0.0.1", 0, http_server.listener, "*a");
	-- The other end of a Unix socket has no name. Whoever comes this way is as good as on loopback: nginx, whose word about the client's
	-- address is taken.
	if not conn then return; end
	conn.peername = "127.0.0.1";
	-- Before its request, which may be here already, is read.
	conn:onconnect();
end

local watch = server.watchfd(socket:getfd(), accept);

function module.unload()
	watch:close();
	socket:close();
	os.remove(path);
end
