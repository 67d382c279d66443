-- A small JSON API to accounts and invitations, for the programs of this appliance only.
--
-- It is served on the loopback HTTP port under /snikket_api/ to whoever has the secret. Requests that came through
-- a proxy, or that name another host, are refused, so that a mistake in the web server's configuration opens nothing.
-- Tokens and passwords travel in request bodies or header fields, never in paths: Prosody logs paths.
--
-- Options: snikket_api_secret  shared with the other programs; required
--          invites_page        mod_invites' own: the link in an invitation, whoever made it

local usermanager = require "prosody.core.usermanager";
local configmanager = require "prosody.core.configmanager";
local modulemanager = require "prosody.core.modulemanager";
local lfs = require "lfs";
local encodings = require "prosody.util.encodings";
local equals = require "prosody.util.hashes".equals;
local array = require "prosody.util.array";
local json = require "prosody.util.json";
local files = require "prosody.core.storagemanager".olddm; -- where mod_http_file_share keeps what is uploaded
local jid_node, jid_join = require "prosody.util.jid".node, require "prosody.util.jid".join;
local new_id, new_long_id = require "prosody.util.id".medium, require "prosody.util.id".long;
local st = require "prosody.util.stanza";

local nodeprep, saslprep = encodings.stringprep.nodeprep, encodings.stringprep.saslprep;
local utf8_length = utf8.len; -- characters; encodings.utf8.length counts bytes

local host = module.host;
local http_host = module:get_option_string("http_host", host);
local secret = module:get_option_string("snikket_api_secret");
local default_role = module:get_option_string("register_ibr_default_role", "prosody:registered");

local body_limit = 8192; -- bytes
local password_minimum = 10; -- characters
local password_maximum = 1024; -- bytes; hashing a longer one only costs time
local username_maximum = 1023; -- bytes, RFC 7622 section 3.3
local comment_maximum = 512; -- bytes
local text_maximum = 4096; -- bytes
local lifetime_default = 7 * 86400;
local lifetime_maximum = 366 * 86400;

if not secret or #secret < 32 then
	error("snikket_api_secret is not set, or shorter than 32 characters");
end

local invites = module:depends("invites");
module:depends("invites_register"); -- its event handlers give the new account its role and its first contact
local account_activity = module:depends("account_activity");
local account_details = module:open_store("account_details");
local statistics = module:require "snikket_statistics";

--- Invitations

local function is_password_reset(invite)
	return invite.additional_data and invite.additional_data.allow_reset ~= nil;
end

-- mod_invites gives everything that it calls an account invitation the link to our page. A password reset is one of
-- those, but has no page.
module:hook("invite-created", function (invite)
	if is_password_reset(invite) then invite.landing_page = nil; end
end, -2);

local function has_role(invite, name)
	for _, role in ipairs(invite.additional_data and invite.additional_data.roles or {}) do
		if role == name then return true; end
	end
	return false;
end

-- What others see of a stored invitation. Numbers may come back from storage as floats.
local function describe(invite)
	local inviter = invite.type == "roster" and jid_node(invite.jid) or nil;
	return {
		token = invite.token;
		url = invite.landing_page or invite.uri;
		uri = invite.uri;
		created = math.floor(invite.created_at);
		expires = math.floor(invite.expires);
		admin = has_role(invite, "prosody:admin");
		reusable = not not invite.reusable;
		comment = invite.additional_data and invite.additional_data.note or nil;
		inviter = inviter and (inviter .. "@" .. host) or nil;
	};
end

-- The stored invitation, when it can be used. Not through invites.get, which logs tokens that it does not know.
local function usable_invite(token)
	if type(token) ~= "string" or #token == 0 or #token > 128 then return nil; end
	local invite = invites.get_account_invite_info(token);
	if not invite or is_password_reset(invite) then return nil; end
	return invite;
end

-- Tokens that a registration is using right now.
local claimed = {};

-- An app shows its token when it connects and registers later: in between, somebody else may have used the invitation,
-- or it may have been revoked. Runs after mod_invites_register's handler of the same event.
module:hook("user-registering", function (event)
	local invite = event.validated_invite or event.session and event.session.validated_invite;
	if not invite or event.allowed == false or event.snikket_claim then return; end
	if claimed[invite.token] or not invites.get_account_invite_info(invite.token) then
		event.allowed = false;
		event.reason = "The invitation has been used or has expired";
		event.error_type, event.error_condition = "cancel", "forbidden";
	end
end, -10);

--- Answers

local function answer(status, data)
	return {
		status_code = status;
		headers = { content_type = "application/json"; cache_control = "no-store" };
		body = json.encode(data);
	};
end

local function refuse(status, code, field)
	return answer(status, { error = code; field = field });
end

local function invalid(field, rule)
	return answer(400, { error = "invalid"; field = field; rule = rule });
end

-- Who may ask at all. Returns the refusal, or nil.
local function guard(request)
	local headers = request.headers;
	if headers.x_forwarded_for or headers.forwarded or headers.x_real_ip then
		return refuse(403, "proxied");
	end
	local named = (headers.host or ""):gsub(":%d+$", ""):lower();
	if named ~= http_host:lower() then
		return refuse(421, "wrong-host");
	end
	local given = (headers.authorization or ""):match("^[Bb]earer ([^%s]+)$");
	if not given or not equals(given, secret) then
		return refuse(401, "unauthorized");
	end
	return nil;
end

-- Wraps a handler: the guard before it; its body parsed; an error in it told to the log, not to the caller.
local function endpoint(handler)
	return function (event)
		local request = event.request;
		local refusal = guard(request);
		if refusal then return refusal; end
		local data = {};
		if request.method == "POST" then
			local body = request.body or "";
			if #body > body_limit then return refuse(413, "too-large"); end
			data = json.decode(body);
			if type(data) ~= "table" then return refuse(400, "malformed"); end
		end
		return handler(data, request.headers);
	end;
end

--- Endpoints

local function ping()
	return answer(200, { host = host; version = prosody.version });
end

-- Whether what people say and send can be kept: told by keeping something, one row and one small file, which is the same each time. What cannot be
-- kept at once is not waited for: SQLite has no patience with a lock here.
local marks = module:open_store("snikket_mark");

local function keep_row()
	local mark = new_id();
	assert(marks:set(nil, { mark = mark }));
	local kept = assert(marks:get(nil));
	assert(kept.mark == mark, "what was written is not what is read");
end

local function keep_file(share)
	-- As a file that is being uploaded is called; no upload has this name.
	local path = files.getpath("snikket-mark", share, "http_file_share", "bin") .. "~";
	-- Prosody makes the folders with the first upload, and does not try again when that failed.
	local folder = path:match("^(.*)/");
	for _, needed in ipairs { folder:match("^(.*)/"), folder } do
		if not lfs.attributes(needed, "mode") then
			local made, problem = lfs.mkdir(needed);
			assert(made, needed .. ": " .. tostring(problem));
		end
	end
	local mark = new_id();
	local file = assert(io.open(path, "w"));
	local written, problem = file:write(mark);
	local closed, why = file:close(); -- what is written may come to the disk only then
	local kept;
	if written and closed then
		file, why = io.open(path);
		if file then kept = file:read("a"); file:close(); end
	end
	local removed, last = os.remove(path);
	assert(kept == mark, problem or why or "what was written is not what is read");
	assert(removed, last);
end

-- Where in our code it was noticed helps nobody.
local function note(faults, what, ok, problem)
	if ok then return; end
	local words = tostring(problem):gsub("[^ ]+%.lua:%d+: ", "");
	table.insert(faults, what .. ": " .. words);
end

local function try_store()
	local faults = {};
	note(faults, "database", pcall(keep_row));
	for share, session in pairs(prosody.hosts) do
		if session.modules and session.modules.http_file_share then note(faults, "uploads", pcall(keep_file, share)); end
	end
	return answer(200, { faults = array(faults) });
end

-- The modules that the configuration names and that are not loaded. A host without one of its modules answers, and does less.
local function list_missing_modules()
	local missing = {};
	for name in pairs(configmanager.getconfig()) do if name ~= "*" then
		local modules, component = modulemanager.get_modules_for_host(name);
		if component then modules:add(component); end
		for wanted in modules do
			if not modulemanager.is_loaded(name, wanted) and not modulemanager.is_loaded("*", wanted) then
				table.insert(missing, wanted .. " for " .. name);
			end
		end
	end end
	table.sort(missing);
	return answer(200, { missing = array(missing) });
end

local function list_statistics()
	return answer(200, { families = statistics.families() });
end

local function create_invitation(data)
	local lifetime = data.lifetime or lifetime_default;
	if math.type(lifetime) ~= "integer" or lifetime < 1 or lifetime > lifetime_maximum then
		return invalid("lifetime", "range");
	end
	local comment = data.comment;
	if comment ~= nil and (type(comment) ~= "string" or #comment > comment_maximum or not utf8_length(comment)) then
		return invalid("comment", "too-long");
	end
	local additional = { roles = { data.admin == true and "prosody:admin" or default_role }; note = comment };
	local invite;
	if data.reusable == true then
		invite = invites.create_group({}, additional, lifetime);
	else
		invite = invites.create_account(nil, additional, lifetime);
	end
	if not invite then return refuse(500, "storage"); end
	return answer(201, describe(invite));
end

local function list_invitations()
	local found = {};
	for _, invite in invites.pending_account_invites() do
		if not is_password_reset(invite) then
			table.insert(found, describe(invite));
		end
	end
	table.sort(found, function (a, b)
		if a.expires ~= b.expires then return a.expires < b.expires; end
		return a.token < b.token;
	end);
	return answer(200, { invitations = array(found) });
end

local function find_invitation(_, headers)
	local invite = usable_invite(headers.invitation_token);
	if not invite then return refuse(404, "not-found"); end
	return answer(200, describe(invite));
end

local function revoke_invitation(data)
	local invite = usable_invite(data.token);
	if not invite then return refuse(404, "not-found"); end
	if invite.type == "roster" then
		-- A contact's invitation is kept for its inviter too: see mod_invites.
		module:open_store("invite_token", "map"):set(jid_node(invite.jid), invite.token, nil);
	end
	if not invites.delete_account_invite(invite.token) then return refuse(500, "storage"); end
	return answer(200, { revoked = true });
end

-- The rules for a name and a password. Returns the prepared name, or nil and the answer.
local function check_credentials(data)
	local given, password = data.username, data.password;
	local username = type(given) == "string" and #given <= username_maximum and nodeprep(given, true) or nil;
	if not username or username == "" or #username > username_maximum then
		return nil, invalid("username", "characters");
	end
	local length = type(password) == "string" and utf8_length(password);
	if not length then return nil, invalid("password", "characters"); end
	if length < password_minimum then return nil, invalid("password", "too-short"); end
	if #password > password_maximum then return nil, invalid("password", "too-long"); end
	if not saslprep(password) then return nil, invalid("password", "characters"); end
	return username;
end

-- The account itself, with the same events as in-band registration (mod_register_ibr), so that everything that
-- listens to those works for both.
local function create_account(username, password, token)
	if usermanager.user_exists(username, host) then return refuse(409, "taken"); end
	local invite = invites.get(token);
	if not invite then return refuse(404, "not-found"); end
	local registering = {
		username = username; host = host; role = default_role; source = module.name;
		validated_invite = invite; allowed = true; snikket_claim = true;
	};
	module:fire_event("user-registering", registering);
	if not registering.allowed then
		-- Too like another name, or a deleted account's: to the person it is the same as taken.
		return refuse(409, "taken");
	end
	local created, err = usermanager.create_user_with_role(username, password, host, registering.role);
	if not created then
		module:log("error", "Could not make an account: %s", err);
		return refuse(500, "storage");
	end
	if not account_details:set(username, { registered = os.time() }) then
		module:log("error", "Could not store the details of a new account; it is deleted again");
		usermanager.delete_user(username, host);
		return refuse(500, "storage");
	end
	module:fire_event("user-registered", {
		username = username; host = host; source = module.name; validated_invite = invite;
	});
	return answer(201, { username = username; address = username .. "@" .. host });
end

local function register(data)
	local invite = usable_invite(data.token);
	if not invite then return refuse(404, "not-found"); end
	local username, problem = check_credentials(data);
	if not username then return problem; end
	if invite.reusable then return create_account(username, data.password, invite.token); end
	-- One single-use invitation, one account, even if something below lets another request in.
	if claimed[invite.token] then return refuse(404, "not-found"); end
	claimed[invite.token] = true;
	local ok, result = pcall(create_account, username, data.password, invite.token);
	claimed[invite.token] = nil;
	if ok then return result; end
	module:log("error", "A registration failed: %s", result);
	return refuse(500, "internal");
end

-- The name that a person chose to be shown (XEP-0172), which lies in their PEP nodes.
local function display_name(username)
	local pep = modulemanager.get_module(host, "pep");
	local service = pep and pep.get_pep_service and pep.get_pep_service(username);
	if not service then return nil; end
	local ok, _, item = service:get_last_item("http://jabber.org/protocol/nick", true);
	if not ok or not item then return nil; end
	local nick = item:get_child_text("nick", "http://jabber.org/protocol/nick");
	return nick ~= "" and nick or nil;
end

--- Trials of logging in

-- An account that is made for one trial, and goes afterwards. Its name is written down first: whoever begins anew after a crash removes it.
local trials = module:open_store("snikket_trials");
local trial_seconds = 30;
local trial_names = {};

local function end_trials()
	for username in pairs(trial_names) do
		if usermanager.user_exists(username, host) then usermanager.delete_user(username, host); end
	end
	trial_names = {};
	trials:set(nil, nil);
end

local function begin_trial()
	end_trials();
	local username, password = "trial-" .. new_long_id():lower():gsub("[^a-z0-9]", "0"), new_long_id();
	trial_names[username] = true;
	if not trials:set(nil, trial_names) then return refuse(500, "storage"); end
	if not usermanager.create_user_with_role(username, password, host, "prosody:guest") then
		return refuse(500, "storage");
	end
	module:add_timer(trial_seconds, function ()
		if trial_names[username] then end_trials(); end
	end);
	return answer(201, { username = username; password = password });
end

local function end_trial()
	end_trials();
	return answer(200, {});
end

module:add_timer(0, function ()
	for username in pairs(trials:get(nil) or {}) do trial_names[username] = true; end
	if next(trial_names) then end_trials(); end
end);

local function list_users()
	local found = {};
	for username in usermanager.users(host) do if not trial_names[username] then
		local role = usermanager.get_user_role(username, host);
		local active = account_activity.get_last_active(username);
		table.insert(found, {
			username = username;
			display_name = display_name(username);
			role = role and role.name or default_role;
			last_active = active and math.floor(active) or nil;
			enabled = usermanager.user_is_enabled(username, host) ~= false;
		});
	end end
	table.sort(found, function (a, b) return a.username < b.username; end);
	return answer(200, { users = array(found) });
end

-- Whose archive took a message last.
local archived_for;
module:hook("archive-message-added", function (event) archived_for = event.for_user; end);

-- A message of the service itself to those who administer it: delivered, archived and pushed like anybody's. Nobody is told by one that cannot be
-- archived, on a full disk, and that goes to no connected device.
local function tell_administrators(data)
	local text = data.text;
	if type(text) ~= "string" or text == "" or #text > text_maximum or not utf8_length(text) then
		return invalid("text", "too-long");
	end
	local count = 0;
	for username in usermanager.users(host) do
		local role = usermanager.get_user_role(username, host);
		if role and role.name == "prosody:admin" and usermanager.user_is_enabled(username, host) ~= false then
			local message = st.message({ type = "chat"; from = host; to = jid_join(username, host); id = new_id() }):text_tag("body", text);
			local user = prosody.hosts[host].sessions[username];
			archived_for = nil;
			module:send(message);
			if archived_for == username or user and user.top_resources then count = count + 1; end
		end
	end
	return answer(200, { administrators = count });
end

module:depends("http");
module:provides("http", {
	name = "snikket_api";
	default_path = "/snikket_api";
	cors = { enabled = false }; -- no web page has any business here
	route = {
		["GET /ping"] = endpoint(ping);
		["GET /modules"] = endpoint(list_missing_modules);
		["GET /store"] = endpoint(try_store);
		["GET /statistics"] = endpoint(list_statistics);
		["GET /users"] = endpoint(list_users);
		["GET /invitations"] = endpoint(list_invitations);
		["POST /invitations"] = endpoint(create_invitation);
		["GET /invitation"] = endpoint(find_invitation);
		["POST /invitations/revoke"] = endpoint(revoke_invitation);
		["POST /messages"] = endpoint(tell_administrators);
		["POST /register"] = endpoint(register);
		["POST /trial"] = endpoint(begin_trial);
		["POST /trial/end"] = endpoint(end_trial);
	};
});
