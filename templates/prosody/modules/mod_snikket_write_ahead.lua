-- The database has a write-ahead log (sqlite.org/wal.html) while the server runs, so that a backup, which reads for a while, keeps nobody from writing:
-- without one, messages that come meanwhile cannot be kept and go back. mod_storage_sql means to see to it (sqlite_tune), but LuaDBI is always within a
-- transaction, where SQLite leaves the file as it is. It is a property of the file: a connection of our own sets it, and the others follow.
--
-- With a log even reading needs room on the disk at first. So a start on a full disk does without, and the end of the server takes it away again: people
-- can read what is there, and the file is a whole by itself.
module:set_global();

local dbi = require "DBI";

local database = module:get_option("sql").database;
local engines = module:shared("/*/sql/connections"); -- mod_storage_sql's
local room = 1048576; -- more than the log takes at first

local function has_room()
	local path = database .. ".room";
	local file, problem = io.open(path, "wb");
	if not file then return nil, problem; end
	local is_written, reason = file:write(string.rep("\0", room));
	local is_closed, refusal = file:close();
	os.remove(path);
	return is_written and is_closed, reason or refusal;
end

local function set(wanted)
	local connection, problem = dbi.Connect("SQLite3", database);
	if not connection then return nil, problem; end
	connection:autocommit(true);
	local mode;
	local statement, reason = connection:prepare("PRAGMA journal_mode=" .. wanted);
	if statement then
		local is_done, refusal = statement:execute();
		if is_done then mode = statement:fetch()[1]; end
		reason = refusal;
		statement:close();
	end
	connection:close();
	return mode == wanted, reason or mode;
end

local is_set, reason = has_room();
if is_set then is_set, reason = set("wal"); end
if not is_set then module:log("warn", "Without a write-ahead log: a backup keeps people from writing (%s)", reason); end

module:hook_global("server-stopped", function ()
	-- Nobody has anything to say any more; as long as others are connected the log has to stay.
	for _, engine in pairs(engines) do
		if engine.conn then
			-- It ends with its last statement.
			for _, statement in pairs(engine.prepared) do statement:close(); end
			engine.prepared = {};
			engine.conn:close();
			engine.conn = nil;
		end
	end
	local is_taken_away, refusal = set("delete");
	if not is_taken_away then module:log("warn", "The write-ahead log stays: %s", refusal); end
end);
