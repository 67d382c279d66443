import ArgumentParser
import Settings

/// What holds now.
struct ConfigShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Check the settings, and show what holds.",
        discussion: "What stands in the file is marked with a *; everything else is a default. Secrets are not shown.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print JSON.")
    var json = false

    func execute() async throws {
        let file = common.configurationFile
        let settings = try readSettings(file: file)
        if json {
            let options = Settings.Option.all.compactMap { ShownJSON($0, settings) }
            print(try jsonText(SettingsJSON(file: file, options: options, notices: settings.notices.map(NoticeJSON.init))))
            return
        }
        print("\(file)\n")
        print(table(settings))
        for notice in settings.notices {
            print("\n" + "\(notice.option): \(notice.reason)".wrapped(indent: 2, width: 100).joined(separator: "\n"))
        }
    }

    private func table(_ settings: Settings) -> String {
        let rows = Settings.Option.all.filter { $0.effect == .now || settings.given[$0.name] != nil }
        let width = rows.map(\.name.count).max() ?? 0
        var lines: [String] = []
        for option in rows {
            let mark = settings.given[option.name] == nil ? " " : "*"
            lines.append("\(mark) \(option.name.padded(to: width))  \(settings.shownValue(of: option) ?? "(\(option.fallbackWords()))")")
        }
        return lines.joined(separator: "\n")
    }
}

extension Settings {
    /// What holds for an option, fit to be seen.
    func shownValue(of option: Settings.Option) -> String? {
        guard let value = value(of: option) else { return nil }
        return option.isSecret ? "(hidden)" : value
    }
}

private struct SettingsJSON: Encodable {
    var file: String
    var options: [ShownJSON]
    var notices: [NoticeJSON]
}

private struct NoticeJSON: Encodable {
    var line: Int?
    var option: String
    var reason: String

    init(_ notice: Notice) {
        (line, option, reason) = (notice.line, notice.option, notice.reason)
    }
}

/// An option as `snikket config show --json` has it: one that takes effect, or was set.
private struct ShownJSON: Encodable {
    var name: String
    var value: String?
    var given: Bool
    var secret: Bool

    init?(_ option: Settings.Option, _ settings: Settings) {
        given = settings.given[option.name] != nil
        guard option.effect == .now || given else { return nil }
        name = option.name
        value = option.isSecret ? nil : settings.value(of: option)
        secret = option.isSecret
    }
}
