import Appliance
import ArgumentParser
import FoundationEssentials
import Glibc
import Settings
import Supervision

struct TryCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "The whole appliance on this computer, for a look.",
        discussion: """
            Loopback only, own certificate authority, unprivileged ports; the state is thrown away at the end, unless --state says where \
            to keep it. Needs no domain, no network and no root.

            Prints `ready https://...` and `invitation https://...`; open the second one in a browser on this computer. Ctrl-C ends it.
            """)

    @Option(help: ArgumentHelp("Keep the state in this folder.", valueName: "dir"))
    var state: String?

    @Option(help: ArgumentHelp("Put all ports at this one and above.", valueName: "port"))
    var portsFrom: Int?

    @Option(help: ArgumentHelp("The templates; found beside the program when not given.", valueName: "dir", visibility: .hidden))
    var templates: String?

    func execute() async throws {
        let folder = try state.map(absolutePath) ?? temporaryFolder()
        defer { if state == nil { try? FileManager.default.removeItem(atPath: folder) } }
        let isRoot = geteuid() == 0
        let program = try TrialProgram(
            programs: try programFolder(), templates: try templates.map(absolutePath) ?? installedTemplates(), folder: folder, isRoot: isRoot)
        let locations = Locations(
            configuration: folder + "/snikket.conf", state: folder, run: folder + "/run", templates: program.templates)
        let settings = Settings.forTrial(firstPort: try portsFrom.map(checkedFirstPort) ?? freePorts())
        Terminal.standardError.print("snikket: a trial on this computer; everything is in \(folder)")
        // There is no file to read them from again.
        let source = SettingsSource(file: nil, read: { settings }, explain: explained)
        try await Up(settings: settings, from: source, locations: locations, programs: program.programs, accounts: isRoot ? .throwAway() : .own)
            .start()
    }

    private func temporaryFolder() throws -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/snikket-try-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(error: "cannot make a temporary folder in \(parent)", cause: String(cString: strerror(errno)), tryThis: "pass --state DIR")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The first block of ports that are all free, such that HTTPS is at 8443 when it can be.
    private func freePorts() throws -> Int {
        for first in stride(from: 8_442, to: 9_642, by: Settings.trialPortCount) {
            let wanted = (first..<(first + Ports.blockSize)).map { WantedPort(.tcp, $0, address: "127.0.0.1") }
            if PortCheck.conflicts(with: wanted).isEmpty { return first }
        }
        throw Failure(
            error: "no free ports from 8442 to 9642", cause: "other programs have some in each block of them", tryThis: "pass --ports-from PORT")
    }
}
