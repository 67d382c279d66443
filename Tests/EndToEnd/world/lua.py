"""Faults inside of a running Prosody: Lua that it runs in its own main loop, where it does whatever it pleases."""

import os
import signal

from .appliance import Appliance
from .waiting import until

_MODULE = """
local path = module:get_option_string("fault_file");
module:add_timer(0.2, function ()
	local file = io.open(path);
	if file then
		local code = file:read("*a");
		file:close();
		os.remove(path);
		local run, problem = load(code);
		if not run then error(problem); end
		run();
	end
	return 0.2;
end);
"""


class Inside:
    """A way into the Prosody of an appliance: its configuration gets one more module, until the appliance itself is started again."""

    def __init__(self, appliance: Appliance):
        self._appliance = appliance
        modules = appliance.folder / "faults"
        modules.mkdir()
        (modules / "mod_fault.lua").write_text(_MODULE)
        # Where Prosody may write, since it removes what it has read.
        self._file = appliance.state / "run/prosody/work/fault"
        self.configuration = appliance.state / "run/prosody/prosody.cfg.lua"
        text = self.configuration.read_text()
        text = text.replace("plugin_paths = {", f'fault_file = "{self._file}"\nplugin_paths = {{ "{modules}";', 1)
        self.configuration.write_text(text.replace("modules_enabled = {", 'modules_enabled = { "fault";', 1))
        before = appliance.service("prosody")["pid"]
        os.kill(before, signal.SIGKILL)

        def back() -> bool:
            service = appliance.service("prosody")
            return service["state"] == "ready" and service["pid"] != before

        until(back, 30, "Prosody has the module")

    def run(self, lua: str) -> None:
        """Has it run; returns when it has begun."""
        new = self._file.with_name("fault.new")
        new.write_text(lua)
        os.chown(new, self._appliance.uid, self._appliance.uid)
        new.rename(self._file)
        until(lambda: not self._file.exists(), 20, "Prosody runs it")

    def unload(self, *modules: tuple[str, str]) -> None:
        """Takes modules out: each the name of a host, and the module's."""
        lines = [f'require "prosody.core.modulemanager".unload("{host}", "{module}");' for host, module in modules]
        self.run("\n".join(lines))

    def hang(self) -> None:
        """It never returns to its main loop."""
        self.run("while true do end")
