-- What the chat server knows of itself: for mod_snikket_api, which loads this into each virtual host.
--
-- The first part is always there and costs two counters. The second is what Prosody's modules count when `statistics` is set, collected
-- when somebody asks. Both are metric families (OpenMetrics) as plain tables; whoever asked writes them down.

local statsmanager = require "prosody.core.statsmanager";
local array = require "prosody.util.array";
local cpu_time = os.clock;

local host = module.host;
local families_maximum = 200;
local samples_maximum = 500; -- of one family

local sent, received = 0, 0;
for _, kind in ipairs { "full", "bare", "host" } do
	module:hook("pre-message/" .. kind, function () sent = sent + 1; end, 1000);
end
for _, kind in ipairs { "full", "bare" } do
	module:hook("message/" .. kind, function () received = received + 1; end, 1000);
end

local function sample(value, labels, suffix)
	return { value = value; labels = labels and array(labels) or nil; suffix = suffix };
end

local function sessions()
	local online, connected, waiting = 0, 0, 0;
	for _, user in pairs(prosody.hosts[host].sessions) do
		online = online + 1;
		for _, session in pairs(user.sessions) do
			-- mod_smacks: the app has gone, and may come back.
			if session.hibernating then waiting = waiting + 1; else connected = connected + 1; end
		end
	end
	return online, connected, waiting;
end

local function other_servers()
	local incoming, outgoing = 0, 0;
	for session in pairs(prosody.incoming_s2s or {}) do
		if session.type == "s2sin" then incoming = incoming + 1; end
	end
	for _, each in pairs(prosody.hosts) do
		for _, session in pairs(each.s2sout or {}) do
			if session.type == "s2sout" then outgoing = outgoing + 1; end
		end
	end
	return incoming, outgoing;
end

local function own()
	local online, connected, waiting = sessions();
	local incoming, outgoing = other_servers();
	return {
		{ name = "prosody_users_online"; kind = "gauge"; help = "People of whom at least one app is connected, or was a moment ago.";
			samples = array { sample(online) } };
		{ name = "prosody_client_sessions"; kind = "gauge"; labels = array { "state" };
			help = "Apps that are connected, and those that may come back to their session (XEP-0198).";
			samples = array { sample(connected, { "connected" }), sample(waiting, { "waiting" }) } };
		{ name = "prosody_server_connections"; kind = "gauge"; labels = array { "direction" };
			help = "Connections to other chat servers that are ready to use.";
			samples = array { sample(incoming, { "in" }), sample(outgoing, { "out" }) } };
		{ name = "prosody_messages"; kind = "counter"; labels = array { "direction" };
			help = "Messages that people here have sent, and that have come for them.";
			samples = array { sample(sent, { "sent" }, "_total"), sample(received, { "received" }, "_total") } };
		{ name = "prosody_lua_memory_bytes"; kind = "gauge"; unit = "bytes"; help = "What Prosody's Lua holds.";
			samples = array { sample(math.floor(collectgarbage("count") * 1024)) } };
		{ name = "prosody_cpu_seconds"; kind = "counter"; unit = "seconds"; help = "Time that Prosody has spent working.";
			samples = array { sample(cpu_time(), nil, "_total") } };
		{ name = "prosody_start_time_seconds"; kind = "gauge"; unit = "seconds"; help = "When Prosody was started, since 1970.";
			samples = array { sample(prosody.start_time) } };
	};
end

local function is_number(value)
	return type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge;
end

-- One of statsmanager's families.
local function describe(name, family)
	local samples = array();
	for labels, metric in family:iter_metrics() do
		if #samples >= samples_maximum then break; end
		local values = array();
		for i = 1, #family.label_keys do values:push(tostring(labels[i])); end
		for suffix, extra, value in metric:iter_samples() do
			if suffix ~= "_created" and is_number(value) then
				samples:push { value = value; labels = values; suffix = suffix; le = extra and extra.le };
			end
		end
	end
	return {
		name = name; kind = family.type_; unit = family.unit ~= "" and family.unit or nil; help = family.description;
		labels = array(family.label_keys); samples = samples;
	};
end

local function families()
	local found = array(own());
	local registry = statsmanager.get_metric_registry();
	if not registry then return found; end
	if statsmanager.collect then statsmanager.collect(); end
	local names = array();
	for name in pairs(registry:get_metric_families()) do names:push(name); end
	names:sort();
	for i = 1, math.min(#names, families_maximum) do
		found:push(describe(names[i], registry:get_metric_families()[names[i]]));
	end
	return found;
end

return { families = families };
