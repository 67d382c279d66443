public import DurableFiles
public import Settings

extension [RenderedFile] {
    /// Puts the files in place, those that differ only.
    ///
    /// - Parameter owner: who a service's files belong to; nil: whoever runs this.
    /// - Returns: the services whose files changed, and so have to be reloaded or restarted.
    /// - Throws: ``ServerConfigsError/file(_:)``; each file is either the old or the new one then.
    @discardableResult
    public func write(owner: (Service) -> Account? = { _ in nil }) throws(ServerConfigsError) -> Set<Service> {
        var changed: Set<Service> = []
        for file in self {
            let owner = owner(file.service)
            guard !File.matches(file.path, contents: file.contents, mode: file.mode, owner: owner) else { continue }
            try onDisk { () throws(FileError) in
                try Folder.make(File.folder(of: file.path), mode: 0o711)
                try File.write(file.contents, to: file.path, mode: file.mode, owner: owner)
            }
            changed.insert(file.service)
        }
        return changed
    }

    /// The same files under another folder: `FOLDER/SERVICE/...`.
    public func moved(from locations: Locations, to folder: String) -> [RenderedFile] {
        map { file in
            var moved = file
            let base = locations.run(of: file.service)
            let rest = file.path.hasPrefix(base + "/") ? String(file.path.dropFirst(base.count)) : "/" + File.name(of: file.path)
            moved.path = "\(folder)/\(file.service.rawValue)\(rest)"
            return moved
        }
    }
}
