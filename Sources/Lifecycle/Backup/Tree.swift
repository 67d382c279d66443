import DurableFiles
import Glibc

/// Folders with everything in them.
enum Tree {
    /// Something in a folder.
    struct Item {
        /// The folder it is in, open: names in it mean what they meant, whoever moves folders about meanwhile.
        let folder: Int32
        let name: String
        /// Below the folder where the walk began.
        let path: String
        let status: stat

        var kind: mode_t { status.st_mode & S_IFMT }
        var permissions: mode_t { status.st_mode & 0o777 }

        /// Opens it for reading, if it is a file; nil when it has gone or become something else.
        func open() throws(BackupError) -> Descriptor? {
            let number = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
            guard number >= 0 else {
                if errno == ENOENT || errno == ELOOP { return nil }
                throw .file(FileError(.read, path, errno: errno))
            }
            let file = Descriptor(number, name: path)
            return file.status.map { $0.st_mode & S_IFMT == S_IFREG } == true ? file : nil
        }

        /// Where a link points.
        func target() -> String? {
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlinkat(folder, name, &buffer, buffer.count)
            return count > 0 && count < buffer.count ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
        }
    }

    /// Calls `visit` for everything below a folder: a folder before what is in it. Names come as they do, one after the other, so that
    /// a hundred thousand of them need no memory. What vanishes meanwhile is passed over, and no link is followed.
    ///
    /// - Parameter visit: returns whether to go into a folder.
    static func walk(_ path: String, _ visit: (Item) throws(BackupError) -> Bool) throws(BackupError) {
        try walk(AT_FDCWD, path, below: "", visit)
    }

    private static func walk(
        _ parent: Int32, _ name: String, below: String, _ visit: (Item) throws(BackupError) -> Bool
    ) throws(BackupError) {
        // A backup has no longer paths, and so there is an end to how deep this goes.
        guard below.utf8.count <= ArchiveEntry.longestPath else { throw .unsuitable(below) }
        let descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw .file(FileError(.read, below.isEmpty ? name : below, errno: errno))
        }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            throw .file(FileError(.read, name, errno: ENOMEM))
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = String(cString: rawName(of: entry))
            if name == "." || name == ".." { continue }
            let inside = below.isEmpty ? name : "\(below)/\(name)"
            var status = stat()
            guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                if errno == ENOENT { continue }
                throw .file(FileError(.read, inside, errno: errno))
            }
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            if try visit(Item(folder: descriptor, name: name, path: inside, status: status)), isFolder {
                try walk(descriptor, name, below: inside, visit)
            }
        }
    }

    /// Removes something with all that is in it; links are removed, not followed, whoever puts one there meanwhile. What cannot be removed stays.
    static func remove(_ path: String) {
        guard unlink(path) != 0 else { return }
        let top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard top >= 0 else { return }
        defer { close(top) }
        // However deep it goes, few folders are open at a time: what lies deeper is moved up, and is emptied the next time around.
        var lifted = Lifted()
        repeat {
            lifted.isAny = false
            empty(top, depth: 1, top: top, &lifted)
        } while lifted.isAny
        rmdir(path)
    }

    private static let openFolders = 32

    private struct Lifted {
        var isAny = false
        var count = 0
    }

    private static func empty(_ folder: Int32, depth: Int, top: Int32, _ lifted: inout Lifted) {
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return }
        guard let stream = fdopendir(copy) else {
            close(copy)
            return
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            // As the kernel has it: a name need not be text.
            let name = rawName(of: entry)
            if strcmp(name, ".") == 0 || strcmp(name, "..") == 0 { continue }
            if unlinkat(folder, name, 0) == 0 || unlinkat(folder, name, AT_REMOVEDIR) == 0 { continue }
            if depth < openFolders {
                let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
                guard inner >= 0 else { continue }
                empty(inner, depth: depth + 1, top: top, &lifted)
                close(inner)
                unlinkat(folder, name, AT_REMOVEDIR)
            } else {
                lifted.count += 1
                if renameat(folder, name, top, ".deep-\(getpid())-\(lifted.count)") == 0 { lifted.isAny = true }
            }
        }
    }

    private static func rawName(of entry: UnsafeMutablePointer<dirent>) -> UnsafePointer<CChar> {
        // Its offset in the record that the kernel filled: it may be longer than Swift's type says.
        (UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)).assumingMemoryBound(to: CChar.self)
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(BackupError) {
        guard mkdir(path, mode) == 0, chmod(path, mode) == 0 else { throw .file(FileError(.write, path, errno: errno)) }
    }
}
