import ArgumentParser
import Settings

/// Every option there is.
struct ConfigListCommand: Command {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List every option.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: ArgumentHelp("Print docs/settings.md.", visibility: .hidden))
    var markdown = false

    func execute() async throws {
        if markdown {
            print(Settings.Option.referencePage, terminator: "")
        } else if json {
            print(try jsonText(Settings.Option.all.map(OptionJSON.init)))
        } else {
            print(table)
        }
    }

    private var table: String {
        let width = Settings.Option.all.map(\.name.count).max() ?? 0
        var lines: [String] = []
        for section in Settings.Option.Section.allCases {
            lines += [section.rawValue, ""]
            for option in Settings.Option.all where option.section == section {
                lines.append("  " + option.name.padded(to: width) + "  " + option.fallbackWords())
                lines += option.summary.wrapped(indent: 6, width: 100)
                switch option.effect {
                case .now: break
                case .later(let what): lines += "Takes effect in a later version, with \(what).".wrapped(indent: 6, width: 100)
                case .meaningless(let why): lines += "No meaning here: \(why).".wrapped(indent: 6, width: 100)
                }
            }
            lines.append("")
        }
        lines.append("snikket config explain OPTION says more about one of them.")
        return lines.joined(separator: "\n")
    }
}

/// An option as `snikket config list --json` has it.
private struct OptionJSON: Encodable {
    var name: String
    var section: String
    var summary: String
    var type: String
    var bounds: String?
    var required = false
    var `default`: String?
    var effect: String
    var reason: String?
    var secret: Bool

    init(_ option: Settings.Option) {
        name = option.name
        section = option.section.rawValue
        summary = option.summary
        type = option.type
        bounds = option.bounds
        secret = option.isSecret
        switch option.fallback {
        case .required: required = true
        case .value(let value): `default` = value
        case .none, .derived: break
        }
        switch option.effect {
        case .now: effect = "now"
        case .later(let what): (effect, reason) = ("later", what)
        case .meaningless(let why): (effect, reason) = ("none", why)
        }
    }
}
