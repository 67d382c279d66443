-- XMPP on the port for HTTPS: nginx tells connections apart by the protocol that they ask for (ALPN) and passes these on untouched, each with
-- a line before it that says who it is from (PROXY protocol, version 1). Then comes TLS, as on the port for direct TLS (XEP-0368).
-- mod_net_proxy of prosody-modules reads that line too, but knows no TLS behind it.
module:set_global();

local portmanager = require "prosody.core.portmanager";
local socket = require "socket";

-- In bytes, with its end (section 2.1 of the protocol's specification).
local longest = 107;

-- The port for direct TLS: what listens there, and its certificate as it is now.
local function behind(name)
	local service = portmanager.get_service(name);
	for _, _, _, _, active in portmanager.get_active_services():iter(name, nil, nil, nil) do
		return service, active.server.tls_ctx;
	end
end

local function refuse(conn, why)
	module:log("warn", "a connection from %s: %s", conn:ip(), why);
	conn:destroy();
end

local function go_on(conn, line, name)
	local address, port = line:match("^PROXY TCP[46] ([%x.:]+) [%x.:]+ (%d+) %d+\r\n$");
	if not address and not line:match("^PROXY UNKNOWN[^\r]*\r\n$") then return refuse(conn, "no PROXY line") end
	local service, context = behind(name);
	if not context then return refuse(conn, name .. " is not there") end
	if address then
		conn.ip = function () return address; end
		conn.port = function () return tonumber(port); end
		conn.clientport = conn.port;
	end
	module:log("debug", "%s: a connection from %s", name, conn:ip());
	-- As if it had come in on that port.
	conn.onreadable, conn.onconnect = nil, nil;
	conn:setlistener(service.listener);
	conn:inittls(context, true);
end

-- Reads the line and not a byte more: what follows is for OpenSSL, which reads from the descriptor itself. A TCP socket of LuaSocket reads
-- ahead into a buffer of its own; a UDP one takes exactly what it is asked for, of whatever kind its descriptor is.
local function reader(name)
	local line = "";
	return function (conn)
		local exact = socket.udp();
		exact:setfd(conn:getfd());
		exact:settimeout(0);
		local byte, problem;
		repeat
			byte, problem = exact:receive(1);
			line = line .. (byte or "");
		until not byte or byte == "" or byte == "\n" or #line >= longest
		-- It is not ours to close.
		exact:setfd(-1);
		if byte == "\n" then return go_on(conn, line, name) end
		if not byte and problem == "timeout" then return end
		refuse(conn, "no PROXY line");
	end
end

local function front(name)
	return {
		-- Before anything is read.
		onconnect = function (conn) conn.onreadable = reader(name); end;
		onincoming = function () end;
		ondisconnect = function () end;
	};
end

module:provides("net", { name = "snikket_front_client"; listener = front("c2s_direct_tls"); default_ports = {}; private = true });
module:provides("net", { name = "snikket_front_server"; listener = front("s2s_direct_tls"); default_ports = {}; private = true });
