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
    static let chainName = "fullchain.pem"
    static let keyName = "privkey.pem"
    static let recordName = "record.json"

    /// Puts a pair in place of the present one.
    func replace(chain: [UInt8], key: [UInt8], record: [UInt8], serial: String, owner: Owner?) throws(StoreError) {
        try makeFolder(path, mode: folderMode)
        removeLeftovers()
        try adoptPlainFiles()
        let staged = "\(path)/.new-\(getpid())"
        removeFolder(staged)
        guard mkdir(staged, 0o700) == 0 else { throw .file(path: staged, errno: errno) }
        do throws(StoreError) {
            try create("\(staged)/\(Self.chainName)", chain, mode: 0o600, owner: owner)
            try create("\(staged)/\(Self.keyName)", key, mode: 0o600, owner: owner)
            try create("\(staged)/\(Self.recordName)", record, mode: 0o600, owner: owner)
            guard chmod(staged, folderMode) == 0 else { throw .file(path: staged, errno: errno) }
            try flush(folder: staged)
            let previous = target(ofLink: "\(path)/current")
            let name = freeName(serial)
            guard rename(staged, "\(path)/\(name)") == 0 else { throw .file(path: staged, errno: errno) }
            try linkFiles()
            // The folder has to be there before something points at it.
            try flush(folder: path)
            try replaceLink("\(path)/current", with: name)
            try flush(folder: path)
            prune(keeping: [name, previous])
        } catch {
            removeFolder(staged)
            throw error
        }
    }

    /// Removes what a process that was killed left behind.
    func removeLeftovers() {
        let current = target(ofLink: "\(path)/current")
        for name in entries(of: path) {
            if name.hasPrefix(".new-") {
                removeFolder("\(path)/\(name)")
            } else if name.contains(".new-") {
                unlink("\(path)/\(name)")
            } else if name.hasPrefix("cert-"), name != current, current == nil {
                // Renamed, but never pointed at.
                removeFolder("\(path)/\(name)")
            }
        }
    }

    /// Plain files of another program become the first unit, so that switching from them is one step as well.
    private func adoptPlainFiles() throws(StoreError) {
        guard target(ofLink: "\(path)/current") == nil,
            let chain = try content(of: "\(path)/\(Self.chainName)"), let key = try content(of: "\(path)/\(Self.keyName)")
        else { return }
        let found = "\(path)/cert-found"
        removeFolder(found)
        guard mkdir(found, 0o700) == 0 else { throw .file(path: found, errno: errno) }
        try create("\(found)/\(Self.chainName)", chain, mode: 0o600, owner: nil)
        try create("\(found)/\(Self.keyName)", key, mode: 0o600, owner: nil)
        try flush(folder: found)
        try replaceLink("\(path)/current", with: "cert-found")
        try flush(folder: path)
    }

    private func linkFiles() throws(StoreError) {
        for name in [Self.chainName, Self.keyName] where target(ofLink: "\(path)/\(name)") != "current/\(name)" {
            try replaceLink("\(path)/\(name)", with: "current/\(name)")
        }
    }

    private func freeName(_ serial: String) -> String {
        let taken = Set(entries(of: path))
        let base = "cert-\(serial.prefix(64))"
        return ([base] + (2...1000).map { "\(base)-\($0)" }).first { !taken.contains($0) } ?? base
    }

    /// The unit before stays: whoever is just reading its files is not disturbed.
    private func prune(keeping names: [String?]) {
        for name in entries(of: path) where name.hasPrefix("cert-") && !names.contains(name) { removeFolder("\(path)/\(name)") }
    }
}
