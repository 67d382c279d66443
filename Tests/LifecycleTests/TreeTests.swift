import DurableFiles
import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("folders with everything in them, whoever moves things about meanwhile")
struct TreeTests {
    @Test("what is put into a staged tree never goes through a link, be there one where a folder was")
    func links() async throws {
        try await Scratch.with { scratch in
            let (tree, victim) = ("\(scratch.path)/tree", "\(scratch.path)/victim")
            for folder in [tree, victim, "\(scratch.path)/state", "\(scratch.path)/state/prosody"] { try Tree.makeFolder(folder) }
            #expect(symlink(victim, "\(tree)/prosody") == 0)
            _ = try scratch.write("state/prosody/evil", "evil")
            let own = try scratch.write("copy", "a copy")
            let staged = try StagedTree(tree)
            try Tree.walk("\(scratch.path)/state") { (item) throws(BackupError) in
                if item.kind == S_IFREG {
                    try staged.link(item)
                    try staged.move(own, to: item)
                } else {
                    try staged.makeFolder(like: item)
                }
                return true
            }
            #expect(try staged.folder(of: "prosody/evil") == nil)
            #expect(Folder.names(in: victim).isEmpty && Tree.exists(own))
        }
    }

    @Test("a folder is removed however deep it goes and whatever its names are; what a link in it points at stays")
    func removal() async throws {
        try await Scratch.with { scratch in
            let kept = try scratch.write("kept", "kept")
            let top = "\(scratch.path)/top"
            try Tree.makeFolder(top)
            // Deeper than there are descriptors, longer than a path may be.
            var folder = open(top, O_RDONLY | O_DIRECTORY)
            for _ in 0..<3_000 {
                #expect(mkdirat(folder, "deeper", 0o700) == 0 && symlinkat(kept, folder, "link") == 0 && mkdirat(folder, "empty", 0o700) == 0)
                let next = openat(folder, "deeper", O_RDONLY | O_DIRECTORY)
                close(folder)
                folder = next
            }
            close(folder)
            // No text in any encoding.
            let name: [CChar] = [CChar(bitPattern: 0xFF), CChar(bitPattern: 0xFE), 0]
            let descriptor = open(top, O_RDONLY | O_DIRECTORY)
            #expect(mkdirat(descriptor, name, 0o700) == 0)
            close(descriptor)
            #expect(symlink(scratch.path, "\(top)/out") == 0)
            Tree.remove(top)
            #expect(!Tree.exists(top) && Tree.exists(kept))
        }
    }

    @Test("a link in the place of a folder that is to be removed goes, and what it points at stays")
    func removedLink() async throws {
        try await Scratch.with { scratch in
            try Tree.makeFolder("\(scratch.path)/folder")
            let kept = try scratch.write("folder/kept", "kept")
            #expect(symlink("\(scratch.path)/folder", "\(scratch.path)/link") == 0)
            Tree.remove("\(scratch.path)/link")
            #expect(!Tree.exists("\(scratch.path)/link") && Tree.exists(kept))
        }
    }

    @Test("a path that is longer than a backup may have is named, and the walk has an end")
    func deepWalk() async throws {
        try await Scratch.with { scratch in
            let name = String(repeating: "n", count: 250)
            var folder = open(scratch.path, O_RDONLY | O_DIRECTORY)
            for _ in 0..<20 {
                #expect(mkdirat(folder, name, 0o700) == 0)
                let next = openat(folder, name, O_RDONLY | O_DIRECTORY)
                close(folder)
                folder = next
            }
            close(folder)
            #expect {
                try Tree.walk(scratch.path) { _ in true }
            } throws: { error in
                guard case .unsuitable(let path) = error as? BackupError else { return false }
                return path.utf8.count > ArchiveEntry.longestPath
            }
        }
    }
}
