import FoundationEssentials
import Glibc
import Settings

/// Where the programs and templates of a trial are, such that its users can reach them.
///
/// A trial by root runs the servers as other users, and root's home, where a checkout often is, is closed to them. Then both are
/// copied into the trial's own folder.
struct TrialProgram {
    /// The folder with `snikket` and `snikket-certs`.
    let programs: String
    let templates: String

    /// - Parameter folder: the trial's state directory.
    init(programs: String, templates: String, folder: String, isRoot: Bool) throws {
        guard isRoot, !(Self.isOpenToAll(programs) && Self.isOpenToAll(templates)) else {
            (self.programs, self.templates) = (programs, templates)
            return
        }
        let own = folder + "/program"
        (self.programs, self.templates) = (own, own + "/templates")
        do {
            let files = FileManager.default
            try? files.removeItem(atPath: own)
            try files.createDirectory(atPath: own, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            for name in ["snikket", "snikket-certs"] { try files.copyItem(atPath: "\(programs)/\(name)", toPath: "\(own)/\(name)") }
            try files.copyItem(atPath: templates, toPath: self.templates)
        } catch {
            throw Failure(
                error: "the programs cannot be copied to \(own)", cause: "\(error)", tryThis: "start it as another user than root")
        }
    }

    /// Whether every folder on the way can be entered by anybody.
    private static func isOpenToAll(_ path: String) -> Bool {
        var facts = stat()
        var way = ""
        for part in path.split(separator: "/") {
            way += "/" + part
            guard stat(way, &facts) == 0, facts.st_mode & 0o001 != 0 else { return false }
        }
        return true
    }
}
