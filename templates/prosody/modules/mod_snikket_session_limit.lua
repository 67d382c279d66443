-- How many devices one account may have connected at the same time (option snikket_maximum_clients). Sessions that
-- wait to be resumed count: they hold memory as well.
local sessions = prosody.hosts[module.host].sessions;
local limit = module:get_option_integer("snikket_maximum_clients", 10, 1);

module:hook("pre-resource-bind", function (event)
	local user = sessions[event.session.username];
	if not user then return; end
	local count, replaces = 0, false;
	for resource in pairs(user.sessions) do
		count = count + 1;
		-- The same device again takes its own place.
		replaces = replaces or resource == event.resource;
	end
	if count >= limit and not replaces then
		event.error = { type = "cancel"; condition = "resource-constraint"; text = "Too many devices are connected to this account" };
		return false;
	end
end, 10);
