import DurableFiles
import FoundationEssentials
import Glibc

/// Where a restore works, in the state directory, so that everything is put in place by renaming:
///
///     restoring/                 0700
///         new/                   what is in the backup: state/..., settings/...
///         plan.json              written when `new` is whole and on the disk; from then on the restore is finished or undone, never forgotten
///     before-restore-MOMENT/     the old state
struct RestorePlace {
    static let folderName = "restoring"
    static let asidePrefix = "before-restore-"
    let state: String

    var folder: String { "\(state)/\(Self.folderName)" }
    var new: String { "\(folder)/new" }
    var planFile: String { "\(folder)/plan.json" }

    /// What is being put in place.
    struct Plan: Codable, Equatable {
        enum Direction: String, Codable { case forward, back }

        var direction: Direction
        /// The backup: its name, size and time of change, by which it is known again.
        var source: String
        /// The name of the folder with the old state.
        var aside: String
        /// What lies in the state and goes aside.
        var leaving: [String]
        /// What comes in its place.
        var arriving: [String]
        /// Where the settings lie.
        var settingsFolder: String
        /// The settings' files that come.
        var settings: [String]
        /// Those of them that are there already.
        var settingsThatWere: [String]
    }

    /// The plan of a restore that was interrupted; nil when there is none.
    func plan() throws(BackupError) -> Plan? {
        do throws(FileError) {
            guard let bytes = try File.readIfThere(planFile) else { return nil }
            guard let plan = try? JSONDecoder().decode(Plan.self, from: Data(bytes)) else { throw FileError.malformed(planFile) }
            return plan
        } catch {
            throw .file(error)
        }
    }

    func save(_ plan: Plan) throws(BackupError) {
        guard let bytes = try? JSONEncoder().encode(plan) else { throw .file(.malformed(planFile)) }
        do throws(FileError) { try File.write(Array(bytes), to: planFile, mode: 0o600) } catch { throw .file(error) }
    }

    /// Removes what a restore left. Its plan first: with a part of what it speaks of it must not be found again.
    func clear() {
        if unlink(planFile) == 0 {
            do throws(FileError) { try Folder.flush(folder) } catch { return }
        } else if errno != ENOENT, errno != ENOTDIR {
            return
        }
        Tree.remove(folder)
    }

    /// Carries a plan out, from wherever it was left. Each step is done or not by what lies where, so it can be repeated.
    func carryOut(_ plan: Plan) throws(BackupError) {
        switch plan.direction {
        case .forward:
            do throws(BackupError) {
                try forward(plan)
            } catch {
                var back = plan
                back.direction = .back
                do throws(BackupError) {
                    try save(back)
                    try self.back(back)
                } catch let second {
                    throw .halfway("\(second)")
                }
                throw .undone(Self.words(error))
            }
        case .back: try back(plan)
        }
    }

    private static func words(_ error: BackupError) -> String {
        if case .file(let problem) = error { return "\(problem.path): \(problem.words)" }
        return "\(error)"
    }

    private func forward(_ plan: Plan) throws(BackupError) {
        let aside = "\(state)/\(plan.aside)"
        if !plan.leaving.isEmpty, !Tree.exists(aside) { try Tree.makeFolder(aside) }
        for name in plan.leaving where !Tree.exists("\(aside)/\(name)") { try move("\(state)/\(name)", "\(aside)/\(name)") }
        for name in plan.arriving {
            if Tree.exists("\(new)/state/\(name)") {
                try move("\(new)/state/\(name)", "\(state)/\(name)")
            } else if !Tree.exists("\(state)/\(name)") {
                // It neither is to come nor has it come: this is not all of what was unpacked.
                throw .file(FileError(.read, "\(new)/state/\(name)", errno: ENOENT))
            }
        }
        for name in plan.settings where Tree.exists("\(new)/settings/\(name)") { try putSetting(name, plan) }
        try flush(plan.leaving.isEmpty ? [state] : [aside, state])
        try end()
    }

    private func back(_ plan: Plan) throws(BackupError) {
        let aside = "\(state)/\(plan.aside)"
        for name in plan.settings.reversed() {
            let (there, old) = ("\(plan.settingsFolder)/\(name)", "\(plan.settingsFolder)/\(Self.old(name, plan))")
            if Tree.exists(old) {
                guard rename(old, there) == 0 else { throw .file(FileError(.write, there, errno: errno)) }
            } else if !plan.settingsThatWere.contains(name) {
                unlink(there)
            }
        }
        // What has come goes back to where it came from; where it is still there, it never came.
        for name in plan.arriving.reversed() where !Tree.exists("\(new)/state/\(name)") && Tree.exists("\(state)/\(name)") {
            try move("\(state)/\(name)", "\(new)/state/\(name)")
        }
        for name in plan.leaving.reversed() where Tree.exists("\(aside)/\(name)") { try move("\(aside)/\(name)", "\(state)/\(name)") }
        rmdir(aside)
        // On a new machine there may have been none.
        if Tree.exists(plan.settingsFolder) { try flush([plan.settingsFolder]) }
        try flush([state])
        try end()
    }

    /// Without its plan it is over; the rest is only in the way.
    private func end() throws(BackupError) {
        guard unlink(planFile) == 0 || errno == ENOENT else { throw .file(FileError(.write, planFile, errno: errno)) }
        try flush([folder])
        clear()
    }

    /// Moves something to where nothing is, or an empty folder.
    private func move(_ from: String, _ to: String) throws(BackupError) {
        rmdir(to)
        guard !Tree.exists(to) else { throw .file(FileError(.write, to, errno: EEXIST)) }
        guard rename(from, to) == 0 else { throw .file(FileError(.write, to, errno: errno)) }
    }

    /// The settings may lie on another file system: they are written anew.
    private func putSetting(_ name: String, _ plan: Plan) throws(BackupError) {
        let (source, there) = ("\(new)/settings/\(name)", "\(plan.settingsFolder)/\(name)")
        let old = "\(plan.settingsFolder)/\(Self.old(name, plan))"
        do throws(FileError) {
            let bytes = try File.read(source, limit: 1 << 26, followingLinks: false)
            try Folder.make(plan.settingsFolder, mode: 0o755, followingLinks: true)
            if try File.readIfThere(there, limit: 1 << 26) != bytes {
                if plan.settingsThatWere.contains(name), !Tree.exists(old) {
                    guard link(there, old) == 0 else { throw FileError(.write, old, errno: errno) }
                }
                var status = stat()
                guard stat(source, &status) == 0 else { throw FileError(.read, source, errno: errno) }
                try File.write(bytes, to: there, mode: UInt32(status.st_mode) & 0o777)
            }
            unlink(source)
        } catch {
            throw .file(error)
        }
    }

    /// The name under which a settings file that was there is kept.
    static func old(_ name: String, _ plan: Plan) -> String { "\(name).\(plan.aside)" }

    private func flush(_ folders: [String]) throws(BackupError) {
        for folder in folders {
            do throws(FileError) { try Folder.flush(folder) } catch { throw .file(error) }
        }
    }
}
