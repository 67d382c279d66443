import DurableFiles
import Glibc
import Lifecycle
import RealServers
import Settings
import Supervision
import Testing

@testable import Appliance

@Suite("the ground")
struct GroundTests {
    /// Users of their own need root.
    private static let accounts = geteuid() == 0 ? Accounts.throwAway() : Accounts.own

    @Test("every folder has its mode and its owner, also when it was there before with others")
    func modesAndOwners() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            let accounts = Self.accounts
            try Ground.prepare(locations, accounts: accounts)
            try check(scratch, locations, accounts)
            for path in [locations.state, locations.secrets, locations.run(of: .nginx), locations.certificates] {
                #expect(chmod(path, 0o777) == 0)
                if geteuid() == 0 { #expect(chown(path, 12_345, 12_345) == 0) }
            }
            // What is ours alone has no owner to correct: it is made by us.
            for path in [locations.state, locations.secrets, locations.run(of: .nginx)] where geteuid() == 0 { #expect(chown(path, 0, 0) == 0) }
            try Ground.prepare(locations, accounts: accounts)
            try check(scratch, locations, accounts)
        }
    }

    private func check(_ scratch: Scratch, _ locations: Locations, _ accounts: Accounts) throws {
        var wanted: [(path: String, mode: mode_t, owner: Account?)] = [
            (locations.state, 0o711, nil), (locations.run, 0o711, nil), (locations.control, 0o700, nil), (locations.secrets, 0o700, nil),
            (locations.logs, 0o700, nil), (locations.prosodyData, 0o700, accounts[.prosody]), (locations.portal, 0o700, accounts[.portal]),
            (locations.certificates, 0o700, accounts.certificates), (locations.acme, 0o700, accounts.certificates),
            (locations.challenges, 0o755, accounts.certificates),
        ]
        for service in Service.allCases {
            wanted.append((locations.run(of: service), 0o711, nil))
            if [.prosody, .coturn].contains(service) { wanted.append((locations.work(of: service), 0o700, accounts[service])) }
        }
        for (path, owner) in [
            (locations.work(of: .nginx), accounts[.nginx]), (locations.work(of: .portal), accounts[.portal]),
            (locations.responder, accounts.certificates),
        ] {
            if let owner, let web = accounts[.nginx] {
                // nginx comes in through its group, and so do we.
                wanted.append((path, 0o710, Account(user: owner.user, group: web.group)))
            } else {
                wanted.append((path, 0o700, nil))
            }
        }
        for (path, mode, owner) in wanted {
            let facts = try #require(scratch.facts(path), "\(path)")
            #expect(facts.st_mode & S_IFMT == S_IFDIR, "\(path)")
            #expect(facts.st_mode & 0o7777 == mode, "\(path)")
            #expect(facts.st_uid == owner?.user ?? geteuid(), "\(path)")
            #expect(facts.st_gid == owner?.group ?? getegid(), "\(path)")
        }
    }

    @Test("a link or a file in a folder's place is refused, and what the link leads to is left alone")
    func inTheWay() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            let victim = scratch.path + "/victim"
            try scratch.folder(victim)
            #expect(chmod(victim, 0o750) == 0)
            let before = try #require(scratch.facts(victim))
            try Ground.prepare(locations, accounts: Self.accounts)
            for path in [locations.portal, locations.run(of: .coturn), locations.challenges, locations.secrets] {
                _ = rename(path, scratch.path + "/aside")
                #expect(symlink(victim, path) == 0)
                #expect(throws: ApplianceError.file(FileError(.write, path, errno: ENOTDIR))) {
                    try Ground.prepare(locations, accounts: Self.accounts)
                }
                unlink(path)
                _ = try scratch.write(String(path.dropFirst(scratch.path.count + 1)), "a file")
                #expect(throws: ApplianceError.file(FileError(.write, path, errno: ENOTDIR))) {
                    try Ground.prepare(locations, accounts: Self.accounts)
                }
                unlink(path)
                #expect(rename(scratch.path + "/aside", path) == 0)
            }
            let after = try #require(scratch.facts(victim))
            #expect(after.st_mode == before.st_mode && after.st_uid == before.st_uid)
            try Ground.prepare(locations, accounts: Self.accounts)
        }
    }

    @Test("a path that leaves no room for a socket is refused with its name")
    func longPath() async throws {
        try await Scratch.with { scratch in
            var locations = scratch.locations
            let room = 107 - "/portal/work/portal.sock".utf8.count
            locations.run = scratch.path + "/" + String(repeating: "r", count: room - scratch.path.utf8.count - 1)
            try Ground.prepare(locations, accounts: Self.accounts)
            locations.run += "r"
            #expect(throws: ApplianceError.pathTooLong(locations.portalSocket)) {
                try Ground.prepare(locations, accounts: Self.accounts)
            }
        }
    }

    @Test("containers of the same state directory keep it out, and it keeps them out", arguments: Restorer.containerLocks)
    func containers(_ name: String) async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            let path = "\(locations.state)/\(name)"
            // As when they were prepared, and have never run.
            try Folder.make(File.folder(of: path), mode: 0o711)
            var up: RunLock? = try RunLock(locations)
            #expect(try HeldLock(path) == nil)
            withExtendedLifetime(up) {}
            up = nil
            let container = try #require(try HeldLock(path))
            #expect(throws: ApplianceError.containersRun(state: locations.state)) { try RunLock(locations) }
            withExtendedLifetime(container) {}
            // The first lock was given back.
            #expect(try HeldLock(locations.state + "/lock") != nil)
        }
    }

    @Test("a second appliance in the same state directory is refused, until the first has let go")
    func runLock() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            var first: RunLock? = try RunLock(locations)
            #expect(first != nil)
            #expect(throws: ApplianceError.alreadyRunning(state: locations.state, process: Int(getpid()))) { try RunLock(locations) }
            var other = locations
            other.state = scratch.path + "/other"
            try scratch.folder(other.state)
            let elsewhere = try RunLock(other)
            first = nil
            let second = try RunLock(locations)
            #expect(scratch.facts(locations.state + "/lock")?.st_mode == S_IFREG | 0o600)
            withExtendedLifetime((elsewhere, second)) {}
        }
    }
}
