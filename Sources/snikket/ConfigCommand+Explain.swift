import ArgumentParser
import Settings
import SystemPackage

/// One option, explained.
struct ConfigExplainCommand: Command {
    static let configuration = CommandConfiguration(commandName: "explain", abstract: "Explain an option.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The option's name, for example SNIKKET_RETENTION_DAYS.")
    var option: String

    func execute() async throws {
        guard let found = Settings.Option.named(option) ?? Settings.Option.named(option.uppercased()) else {
            let nearest = Settings.Option.nearestName(to: option)
            throw Failure(
                error: "there is no option \(option.quotedForTerminal())",
                cause: nearest.map { "the nearest name is \($0)" } ?? "no option has a name like that",
                tryThis: nearest.map { "`snikket config explain \($0)`" } ?? "`snikket config list` shows every option", code: .usage)
        }
        var lines = [found.name, ""] + found.summary.wrapped(indent: 2, width: 80) + [""]
        lines += row("value", found.bounds.map { "\(found.type): \($0)" } ?? found.type)
        lines += row("default", found.fallbackWords())
        switch found.effect {
        case .now: lines += row("effect", found.momentOfEffect)
        case .later(let what): lines += row("effect", "none yet: it takes effect in a later version, with \(what)")
        case .meaningless(let why): lines += row("effect", "none: \(why)")
        }
        if let current = try current(found) { lines += row("now", current) }
        print(lines.joined(separator: "\n"))
    }

    /// What holds now; nil when there is no file.
    private func current(_ option: Settings.Option) throws -> String? {
        let file = common.configurationFile
        guard (try? FileDescriptor.open(FilePath(file), .readOnly).close()) != nil else { return nil }
        do {
            let settings = try readSettings(file: file)
            let value = settings.shownValue(of: option) ?? option.fallbackWords()
            return settings.given[option.name] == nil ? "\(value) (the default)" : "\(value) (set in \(file))"
        } catch {
            return "there are mistakes in \(file): see `snikket config show`"
        }
    }

    private func row(_ name: String, _ text: String) -> [String] {
        let width = 9
        var lines = text.wrapped(indent: 2 + width, width: 80)
        if let first = lines.first { lines[0] = "  " + name.padded(to: width) + first.dropFirst(2 + width) }
        return lines
    }
}
