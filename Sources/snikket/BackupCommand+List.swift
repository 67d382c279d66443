import Appliance
import ArgumentParser
import Glibc
import Lifecycle
import Settings
import Supervision

/// `snikket backup list`
struct BackupList: Command {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the backups in a folder, the newest first.",
        discussion: "What a name says is not yet true: `snikket backup verify FILE` reads a backup.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var overrides: SettingOverrides

    @Option(help: ArgumentHelp("The folder; otherwise SNIKKET_BACKUP_DIRECTORY.", valueName: "dir"))
    var from: String?

    @Flag(help: "Print a JSON array.")
    var json = false

    func execute() async throws {
        let folder: String
        if let from {
            folder = absolutePath(from)
        } else {
            let locations = try common.locations()
            folder = try readSettings(locations, overrides: overrides.values).backupFolder(in: locations)
        }
        var status = stat()
        if stat(folder, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
            throw Failure(
                error: "\(folder) is no folder", cause: "the backups in a folder are listed", tryThis: "`snikket backup verify FILE` looks into one",
                code: .usage)
        }
        guard access(folder, R_OK | X_OK) == 0 || errno == ENOENT else {
            throw Failure(error: "cannot read \(folder)", cause: String(cString: strerror(errno)).lowercased(), tryThis: "run the command with sudo")
        }
        let items = BackupFolder(folder).items()
        if json { return print(try jsonText(items.map(Row.init))) }
        guard !items.isEmpty else { return print("no backups in \(folder); make one with `snikket backup create`") }
        let rows = items.map { item in
            [
                unobeyed(item.file), unobeyed(item.domain), localTime(item.created), sizeText(item.size),
                [item.isScheduled ? "scheduled" : nil, item.isEncrypted ? "encrypted" : nil].compactMap(\.self).joined(separator: ", "),
            ]
        }
        print(textTable([["FILE", "DOMAIN", "MADE", "SIZE", ""]] + rows))
    }

    /// A backup as scripts see it. These keys stay.
    private struct Row: Encodable {
        var file, domain: String
        var bytes, created: Int
        var encrypted, scheduled: Bool

        init(_ item: BackupFolder.Item) {
            (file, domain, bytes, created) = (item.file, item.domain, item.size, item.created)
            (encrypted, scheduled) = (item.isEncrypted, item.isScheduled)
        }
    }
}
