import Glibc
import Testing

@testable import DurableFiles

@Suite("Files that survive")
struct DurableFilesTests {
    @Test("a file is written with its mode whatever the umask, and read again; nothing else is left")
    func roundTrip() throws {
        try withFolder { folder throws in
            let path = folder + "/a"
            for (mode, text) in [(0o600 as UInt32, "one"), (0o644, ""), (0o400, String(repeating: "x", count: 200_000))] {
                try File.write(Array(text.utf8), to: path, mode: mode)
                #expect(try File.read(path) == Array(text.utf8))
                var status = stat()
                #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == mode)
            }
            #expect(Folder.names(in: folder) == ["a"])
        }
    }

    @Test("a link in a file's place is replaced, not followed; so is a link in the place of the temporary file")
    func links() throws {
        try withFolder { folder throws in
            let victim = folder + "/victim"
            try File.write([1], to: victim, mode: 0o600)
            for place in ["/a", "/.a.new-\(getpid())"] {
                #expect(symlink(victim, folder + place) == 0)
                try File.write([2], to: folder + "/a", mode: 0o600)
                #expect(try File.read(victim) == [1])
                #expect(try File.read(folder + "/a", followingLinks: false) == [2])
            }
        }
    }

    @Test("what a killed writer left goes; what a living one is writing stays")
    func leftovers() throws {
        try withFolder { folder throws in
            let (dead, living) = (folder + "/.a.new-\(Int32.max)", folder + "/.a.new-1")
            for path in [dead, living, folder + "/.b.new-\(Int32.max)"] { try File.create(path, [9], mode: 0o644) }
            try File.write([1], to: folder + "/a", mode: 0o600)
            #expect(Set(Folder.names(in: folder)) == ["a", ".a.new-1", ".b.new-\(Int32.max)"])
        }
    }

    @Test("a file that may not be replaced is not, and a file that cannot be put in place leaves nothing behind")
    func refusals() throws {
        try withFolder { folder throws in
            let path = folder + "/a"
            try File.write([1], to: path, mode: 0o600, replacing: false)
            #expect(throws: FileError(.write, path, errno: EEXIST)) { try File.write([2], to: path, mode: 0o600, replacing: false) }
            #expect(try File.read(path) == [1])
            try Folder.make(folder + "/folder", mode: 0o700)
            #expect(throws: FileError(.write, folder + "/folder", errno: EISDIR)) { try File.write([2], to: folder + "/folder", mode: 0o600) }
            #expect(throws: FileError(.write, folder + "/no/a", errno: ENOENT)) { try File.write([2], to: folder + "/no/a", mode: 0o600) }
            #expect(throws: FileError(.write, path, errno: EEXIST)) { try File.create(path, [2], mode: 0o600) }
            #expect(Set(Folder.names(in: folder)) == ["a", "folder"])
        }
    }

    @Test("reading is bounded, waits for nothing, and says what is missing")
    func reading() throws {
        try withFolder { folder throws in
            try File.write([UInt8](repeating: 0, count: 100), to: folder + "/a", mode: 0o600)
            #expect(try File.read(folder + "/a", limit: 100).count == 100)
            #expect(throws: FileError(.read, folder + "/a", errno: EFBIG)) { try File.read(folder + "/a", limit: 99) }
            #expect(try File.readIfThere(folder + "/b") == nil)
            #expect(try File.readIfThere(folder + "/a/b") == nil)
            #expect(throws: FileError(.read, folder + "/b", errno: ENOENT)) { try File.read(folder + "/b") }
            #expect(throws: FileError(.read, folder, errno: EISDIR)) { try File.readIfThere(folder) }
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            #expect(try File.read(folder + "/pipe") == [])
            #expect(symlink("a", folder + "/link") == 0)
            #expect(throws: FileError(.read, folder + "/link", errno: ELOOP)) { try File.read(folder + "/link", followingLinks: false) }
        }
    }

    @Test("folders are made with those above them; a link in their place will do only where it may")
    func folders() throws {
        try withFolder { folder throws in
            let deep = folder + "/a/b/c"
            try Folder.make(deep, mode: 0o700)
            try Folder.make(deep, mode: 0o755)
            var status = stat()
            #expect(stat(deep, &status) == 0 && status.st_mode & 0o777 == 0o700)
            #expect(symlink(deep, folder + "/link") == 0)
            try Folder.make(folder + "/link", mode: 0o700, followingLinks: true)
            #expect(throws: FileError(.write, folder + "/link", errno: ENOTDIR)) { try Folder.make(folder + "/link", mode: 0o700) }
            try File.write([1], to: deep + "/file", mode: 0o600)
            #expect(throws: FileError(.write, deep + "/file", errno: ENOTDIR)) { try Folder.make(deep + "/file", mode: 0o700) }
            #expect(Folder.names(in: folder + "/link") == [] && Folder.names(in: folder + "/link", followingLinks: true) == ["file"])
            Folder.remove(folder + "/link")
            #expect(try File.read(deep + "/file") == [1])
            Folder.remove(deep)
            #expect(access(deep, F_OK) != 0)
        }
    }

    @Test("a symbolic link is pointed elsewhere in one step, and only a link has a target")
    func pointing() throws {
        try withFolder { folder throws in
            let link = folder + "/link"
            #expect(SymbolicLink.target(of: link) == nil)
            for target in ["one", "two"] {
                try SymbolicLink.point(link, at: target)
                #expect(SymbolicLink.target(of: link) == target)
            }
            #expect(Folder.names(in: folder) == ["link"])
            try Folder.make(folder + "/folder", mode: 0o700)
            #expect(throws: FileError(.write, folder + "/folder", errno: EISDIR)) { try SymbolicLink.point(folder + "/folder", at: "x") }
            #expect(SymbolicLink.target(of: folder + "/folder") == nil)
        }
    }

    @Test("root in somebody's folder is that somebody: a link to what is root's leads nowhere, and afterwards it is root again")
    func acting() throws {
        try withFolder { folder throws in
            // As ourselves everything is as ever.
            #expect(try File.acting(as: nil, on: folder) { () throws(FileError) in geteuid() } == geteuid())
            let somebody = Account(user: 61_190, group: 61_191)
            guard geteuid() == 0 else {
                #expect(throws: FileError(.read, folder, errno: EPERM)) { try File.acting(as: somebody, on: folder) { () throws(FileError) in } }
                return
            }
            #expect(chmod(folder, 0o755) == 0)
            try File.write([1], to: folder + "/root's", mode: 0o600)
            let theirs = folder + "/theirs"
            try Folder.make(theirs, mode: 0o700, owner: somebody)
            #expect(symlink(folder + "/root's", theirs + "/link") == 0)
            try File.acting(as: somebody, on: theirs) { () throws(FileError) in
                try File.write([2], to: theirs + "/file", mode: 0o600)
                #expect(try File.read(theirs + "/file") == [2])
                #expect(throws: FileError(.read, theirs + "/link", errno: EACCES)) { try File.read(theirs + "/link") }
                #expect(throws: FileError(.write, folder + "/new", errno: EACCES)) { try File.write([3], to: folder + "/new", mode: 0o600) }
            }
            var status = stat()
            #expect(stat(theirs + "/file", &status) == 0 && status.st_uid == somebody.user && status.st_gid == somebody.group)
            #expect(throws: FileError.malformed(theirs)) {
                try File.acting(as: somebody, on: theirs) { () throws(FileError) in throw .malformed(theirs) }
            }
            #expect(try File.read(theirs + "/link") == [1], "root is root again")
        }
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/snikket-files-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        let folder = String(cString: made)
        defer { removeTree(folder) }
        try body(folder)
    }

    private func removeTree(_ path: String) {
        for name in Folder.names(in: path) where unlink("\(path)/\(name)") != 0 { removeTree("\(path)/\(name)") }
        rmdir(path)
    }
}
