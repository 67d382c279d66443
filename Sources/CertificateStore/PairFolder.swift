internal import DurableFiles
internal import Glibc

/// A folder that holds a certificate and its key as one unit.
///
///     fullchain.pem -> current/fullchain.pem
///     privkey.pem   -> current/privkey.pem
///     current       -> cert-SERIAL
///     cert-SERIAL/    fullchain.pem, privkey.pem, record.json
///
/// Renaming `current` switches all of it at once: whenever the power goes, chain and key belong together.
struct PairFolder {
    let path: String
    /// 0700 for our own; a server's copy has to be entered by its user, who must not be able to change it.
    var folderMode: UInt32 = 0o700
    /// Who else may read what is in it, through its group.
    var reader: Account?
    static let chainName = "fullchain.pem"
    static let keyName = "privkey.pem"
    static let recordName = "record.json"

    private var current: String { "\(path)/current" }
    /// A person may have put the store somewhere else and left a link.
    private var names: [String] { Folder.names(in: path, followingLinks: true) }

    /// The names of the folders in it that hold a pair each.
    var units: [String] { names.filter { $0.hasPrefix("cert-") } }

    /// Puts a pair in place of the present one. When it fails the present one stays.
    func replace(chain: [UInt8], key: [UInt8], record: [UInt8], serial: String) throws(FileError) {
        try Folder.make(path, mode: folderMode, followingLinks: true)
        removeLeftovers()
        try adoptPlainFiles()
        let previous = SymbolicLink.target(of: current)
        let unit = try add(
            [(Self.chainName, chain), (Self.keyName, key), (Self.recordName, record)], as: "cert-\(serial.prefix(64))")
        do throws(FileError) {
            try linkFiles()
            try SymbolicLink.point(current, at: unit)
        } catch {
            // The switch may have been made, and only its flush have failed.
            if SymbolicLink.target(of: current) != unit { Folder.remove("\(path)/\(unit)") }
            throw error
        }
        prune(keeping: [unit, previous])
    }

    /// Removes what a process that was killed left behind: nobody else changes the folder now.
    func removeLeftovers() {
        let current = SymbolicLink.target(of: current)
        for name in names {
            if name.hasPrefix(".new-") {
                Folder.remove("\(path)/\(name)")
            } else if name.contains(".new-") {
                unlink("\(path)/\(name)")
            } else if name.hasPrefix("cert-"), name != current, current == nil {
                // Renamed, but never pointed at.
                Folder.remove("\(path)/\(name)")
            }
        }
    }

    /// Makes a unit with these files, under a name that is free; returns the name.
    private func add(_ files: [(name: String, bytes: [UInt8])], as base: String) throws(FileError) -> String {
        let staged = "\(path)/.new-\(getpid())"
        let unit = freeName(base)
        guard mkdir(staged, 0o700) == 0 else { throw FileError(.write, staged, errno: errno) }
        do throws(FileError) {
            for file in files {
                try File.create("\(staged)/\(file.name)", file.bytes, mode: reader == nil ? 0o600 : 0o640, owner: reader?.reader)
            }
            guard chmod(staged, folderMode) == 0 else { throw FileError(.write, staged, errno: errno) }
            try Folder.flush(staged)
            guard rename(staged, "\(path)/\(unit)") == 0 else { throw FileError(.write, "\(path)/\(unit)", errno: errno) }
        } catch {
            Folder.remove(staged)
            throw error
        }
        do throws(FileError) {
            // The folder has to be there before something points at it.
            try Folder.flush(path)
        } catch {
            Folder.remove("\(path)/\(unit)")
            throw error
        }
        return unit
    }

    /// Plain files of another program become a unit first, so that switching from them is one step as well.
    private func adoptPlainFiles() throws(FileError) {
        var files: [(name: String, bytes: [UInt8])] = []
        for name in [Self.chainName, Self.keyName] {
            guard SymbolicLink.target(of: "\(path)/\(name)") == nil, let bytes = try File.readIfThere("\(path)/\(name)") else { return }
            files.append((name, bytes))
        }
        try SymbolicLink.point(current, at: try add(files, as: "cert-found"))
    }

    private func linkFiles() throws(FileError) {
        for name in [Self.chainName, Self.keyName] where SymbolicLink.target(of: "\(path)/\(name)") != "current/\(name)" {
            try SymbolicLink.point("\(path)/\(name)", at: "current/\(name)")
        }
    }

    private func freeName(_ base: String) -> String {
        let taken = Set(names)
        return ([base] + (2...1000).map { "\(base)-\($0)" }).first { !taken.contains($0) } ?? base
    }

    /// The unit before stays: whoever is just reading its files is not disturbed.
    private func prune(keeping kept: [String?]) {
        for name in units where !kept.contains(name) { Folder.remove("\(path)/\(name)") }
    }
}
