-- What cannot be kept is not accepted. When the archive cannot take a message, because the disk is full, the message goes back to whoever wrote it
-- as a temporary error (RFC 6120 §8.3.3.18), and their app shows that it was not sent. Without this, mod_mam and mod_muc_mam say so in the log only:
-- the message is delivered to whoever happens to be connected, and nobody else ever sees it.
local st = require "prosody.util.stanza";
local jid_split = require "prosody.util.jid".split;

local host = module.host;
local archives = {
	[module:get_option_string("archive_store", "archive")] = true; -- mod_mam's
	[module:get_option_string("muc_log_store", "muc_log")] = true; -- mod_muc_mam's
};

-- Whether the stanza that is being handled could not be archived. One stanza is handled at a time, and SQLite answers at once.
local failed = false;

-- All archives of this host are of one class, whichever module opened theirs first.
local class = getmetatable(module:open_store("archive", "archive"));
local append = class.append;
function class:append(...)
	local id, err = append(self, ...);
	if archives[self.store] then failed = not id; end -- a second attempt, after making room in the quota, may succeed
	return id, err;
end
function module.unload() class.append = append; end

local function refuse(stanza, to)
	local reply = st.error_reply(stanza, "wait", "resource-constraint", "The server cannot keep messages at the moment");
	reply.attr.to = to or reply.attr.to;
	module:send(reply);
	return true;
end

local function before() failed = false; end

local function after(event)
	local stanza = event.stanza;
	if not failed or stanza.attr.type == "error" then return; end
	-- What the service itself has to say, of a full disk for example, is worth hearing even if it cannot be kept.
	if stanza.attr.from == host then return; end
	return refuse(stanza);
end

if module:get_host_type() == "local" then
	-- mod_mam works at 0, carbons are made at -0.5, messages delivered at -1.
	for _, name in ipairs { "pre-message/bare"; "pre-message/full"; "message/bare"; "message/full" } do
		module:hook(name, before, 0.1);
		module:hook(name, after, -0.1);
	end
else
	-- In a group chat `from` is the nick while the message is archived and sent to everybody.
	local author;
	module:hook("muc-occupant-groupchat", function (event)
		failed = false;
		author = event.from or event.stanza.attr.from;
	end, -1000);
	-- The history in memory is made at -1.
	module:hook("muc-add-history", function () return failed or nil; end, -0.5);
	module:hook("muc-broadcast-message", function (event)
		if not failed or not author then return; end
		return refuse(event.stanza, author);
	end, -1);
end
