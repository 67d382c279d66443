public import Settings

extension [RenderedFile] {
    /// Puts the files in place, those that differ only.
    ///
    /// - Parameter owner: who a service's files belong to; nil: whoever runs this.
    /// - Returns: the services whose files changed, and so have to be reloaded or restarted.
    /// - Throws: ``ServerConfigsError/unwritable(path:code:)``; each file is either the old or the new one then.
    @discardableResult
    public func write(owner: (Service) -> FileOwner? = { _ in nil }) throws(ServerConfigsError) -> Set<Service> {
        var changed: Set<Service> = []
        for file in self {
            let owner = owner(file.service)
            guard !File.matches(file.path, contents: file.contents, mode: file.mode, owner: owner) else { continue }
            try File.makeFolder(File.parts(of: file.path).folder, mode: 0o711)
            try File.write(file.contents, to: file.path, mode: file.mode, owner: owner)
            changed.insert(file.service)
        }
        return changed
    }

    /// The services whose files on disk are not these.
    public func changed() -> Set<Service> {
        Set(filter { (try? File.read($0.path)) != $0.contents }.map(\.service))
    }

    /// The same files under another folder: `FOLDER/SERVICE/...`.
    public func moved(from locations: Locations, to folder: String) -> [RenderedFile] {
        map { file in
            var moved = file
            let base = locations.run(of: file.service)
            let rest = file.path.hasPrefix(base + "/") ? String(file.path.dropFirst(base.count)) : "/" + File.parts(of: file.path).name
            moved.path = "\(folder)/\(file.service.rawValue)\(rest)"
            return moved
        }
    }
}
