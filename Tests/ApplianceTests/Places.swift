import DurableFiles
import Glibc
import RealServers
import Settings

/// Where an appliance in a test's own folder has its things.
extension Scratch {
    var locations: Locations {
        Locations(configuration: path + "/snikket.conf", state: path + "/state", run: path + "/state/run", templates: path)
    }

    /// A path's mode, type and owners; nil when there is nothing.
    func facts(_ path: String) -> stat? {
        var facts = stat()
        return lstat(path, &facts) == 0 ? facts : nil
    }

    func folder(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 else { throw Refused(path: path, code: errno) }
    }

    func file(_ path: String, _ text: String, mode: UInt32) throws { try File.write(Array(text.utf8), to: path, mode: mode) }

    struct Refused: Error {
        var path: String
        var code: Int32
    }
}
