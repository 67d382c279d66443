public import DurableFiles
public import Settings

extension [RenderedFile] {
    /// Puts the files in place, those that differ only.
    ///
    /// They belong to whoever runs this: a server that has been broken into must not be able to change what it is started with.
    ///
    /// - Parameter account: who a service runs as, and so may read its files, through its group; nil: as whoever runs this.
    /// - Returns: the services whose files changed, and so have to be reloaded or restarted.
    /// - Throws: ``ServerConfigsError/file(_:)``; each file is either the old or the new one then.
    @discardableResult
    public func write(for account: (Service) -> Account? = { _ in nil }) throws(ServerConfigsError) -> Set<Service> {
        var changed: Set<Service> = []
        for file in self {
            let reader = account(file.service)?.reader
            let mode = reader == nil ? file.mode : file.mode | 0o040
            guard !File.matches(file.path, contents: file.contents, mode: mode, owner: reader) else { continue }
            try onDisk { () throws(FileError) in
                try Folder.make(File.folder(of: file.path), mode: 0o711)
                try File.write(file.contents, to: file.path, mode: mode, owner: reader)
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
