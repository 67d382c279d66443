-- Nothing is deleted because of a clock that is wrong for a moment. mod_mam, mod_muc_mam and mod_http_file_share delete what is older than the
-- retention as soon as mod_cron lets them, a second after the start: a machine that comes up a year ahead would lose every message and every file before
-- its time server has answered.
--
-- So periodic tasks run only while the clock is believed: when it has gone on from where it was last seen, by no more than two days, or when it has gone
-- on steadily for a whole day, as after a long time switched off. And a task that was last run in the future runs again: mod_cron would wait for that future.
--
-- Messages that come while the clock is behind are archived at the moment that it was last seen right: with their own, old one they would be deleted
-- as soon as it is right again.
local monotonic = require "prosody.util.time".monotonic;

local day = 86400;
local steps = 3600; -- how often it is looked at
local store = module:open_store("snikket_clock");
local state = store:get() or {}; -- seen: when it was right last; steady: for how many seconds it has gone on steadily since it was not

local previous; -- the clock and how long we run, at the last look

local function is_believed(now)
	return not state.seen or (now >= state.seen - steps and now <= state.seen + 2 * day);
end

local function look()
	local now, running = os.time(), monotonic();
	if is_believed(now) then
		if previous and state.steady then module:log("info", "The clock is believed again"); end
		state = { seen = now };
	else
		-- Whether it has gone on as we have.
		local jump = previous and (now - previous.now) - (running - previous.running);
		if not jump or jump > 60 or jump < -60 then
			state.steady = jump and 0 or state.steady or 0;
			module:log("warn", "The clock has jumped from %s to %s: nothing is deleted until it has gone on from there for a day",
				os.date("!%Y-%m-%dT%H:%M:%SZ", state.seen), os.date("!%Y-%m-%dT%H:%M:%SZ", now));
		else
			state.steady = state.steady + math.floor(running - previous.running);
			if state.steady >= day then state = { seen = now }; end
		end
	end
	previous = { now = now, running = running };
	store:set(nil, state); -- when the disk is full: the next time
end

-- mod_cron asks a task when it was last run before it decides whether to run it.
local function guarded(restore)
	local held = false;
	return function (task)
		if held then task.last, held = nil, false; end
		restore(task);
		local now = os.time();
		if not is_believed(now) then
			-- As if it had been run just now, which is written down nowhere.
			task.last, held = now, true;
		elseif task.last and task.last > now + steps then
			task.last = nil;
		end
	end
end

-- mod_cron gives a task its `restore` when it is added, and lets nobody else know of it afterwards.
local when_given = {
	__newindex = function (task, name, value) rawset(task, name, name == "restore" and guarded(value) or value); end;
};
module:hook("item-added/task", function (event) setmetatable(event.item, when_given); end, 1);
for _, task in ipairs(module:get_host_items("task")) do
	if task.restore then task.restore = guarded(task.restore); else setmetatable(task, when_given); end
end

-- All archives of this host are of one class.
local class = getmetatable(module:open_store("archive", "archive"));
local append = class.append;
function class:append(username, key, value, when, with)
	local now = os.time();
	if state.seen and now < state.seen - steps and when and when < state.seen then when = state.seen; end
	return append(self, username, key, value, when, with);
end
function module.unload() class.append = append; end

look();
module:add_timer(steps, function () look(); return steps; end);
