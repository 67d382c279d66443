import ArgumentParser
import Glibc
import Settings

/// Two answers and a consent become a settings file.
struct InitCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write the settings: asks for the domain, an e-mail address and consent.",
        discussion: """
            Asks on the terminal for what is not given. In a script:

              snikket init --domain chat.example.org --email you@example.org --agree-tos
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("The domain of the chat service.", valueName: "name"))
    var domain: String?

    @Option(help: ArgumentHelp("The administrator's e-mail address.", valueName: "address"))
    var email: String?

    @Flag(help: "Agree to the terms of service of the certificate authority, Let's Encrypt.")
    var agreeTos = false

    @Flag(help: "Overwrite the settings that there are.")
    var force = false

    private static let domainOption = "SNIKKET_DOMAIN"
    private static let emailOption = "SNIKKET_ADMIN_EMAIL"
    private static let consentOption = "SNIKKET_LETSENCRYPT_TOS_AGREE"
    private static let terms = "https://letsencrypt.org/repository/"

    func execute() async throws {
        let file = common.configurationFile
        // Told before the questions, and made sure of when the file is put in place.
        if !force, access(file, F_OK) == 0 { throw Failure.settingsExist(file) }
        let mistakes = try mistakes()
        try refuseToGuess(beside: mistakes)
        guard mistakes.isEmpty else {
            throw Failure(
                error: "no settings were written", cause: mistakes.joined(separator: "\n"), tryThis: "correct it and run `snikket init` again",
                code: .configuration)
        }
        let domain = try domain ?? ask("The domain of your chat service, for example chat.example.org", Self.domainOption)
        let email = try email ?? ask("Your e-mail address, for people who need help and for Let's Encrypt", Self.emailOption)
        if !agreeTos { try askForConsent() }

        let text = try [(Self.domainOption, domain), (Self.emailOption, email), (Self.consentOption, "Y")]
            .map { try Self.option($0.0).line(setting: $0.1) + "\n" }.joined()
        let settings = try Settings(parsing: text, file: file)
        try writeSettings(text, to: file, replacing: force)
        print(
            """
            wrote \(file)

            The DNS needs an A record (and AAAA, if this machine has IPv6) with this machine's address for each of
            \(settings.certificateNames.map { "  " + $0 }.joined(separator: "\n"))
            Then `snikket check` says whether all is ready, and `\(startingIt)` starts it.
            """)
    }

    /// Where it is installed as a service, that is what is to be started.
    private var startingIt: String {
        let hasUnit = ["/etc", "/usr/lib"].contains { access("\($0)/systemd/system/snikket.service", F_OK) == 0 }
        return hasUnit && common.configurationFile == "/etc/snikket/snikket.conf" ? "systemctl start snikket" : "snikket up"
    }

    /// Without a terminal nothing can be asked.
    ///
    /// - Parameter mistakes: what else is wrong: all of it is told at once.
    private func refuseToGuess(beside mistakes: [String]) throws {
        guard isatty(STDIN_FILENO) == 0 else { return }
        let missing = [domain == nil ? "--domain" : nil, email == nil ? "--email" : nil, agreeTos ? nil : "--agree-tos"].compactMap(\.self)
        guard !missing.isEmpty else { return }
        throw Failure(
            error: "there is no terminal to ask on", cause: (["\(missing.joined(separator: ", ")) not given"] + mistakes).joined(separator: "\n"),
            tryThis: "`snikket init --domain NAME --email ADDRESS --agree-tos`", code: .usage)
    }

    /// What is wrong with what was given on the command line.
    private func mistakes() throws -> [String] {
        var causes: [String] = []
        for (flag, name, value) in [("--domain", Self.domainOption, domain), ("--email", Self.emailOption, email)] {
            guard let value else { continue }
            if let problem = try Self.problem(name, value) { causes.append("\(flag) \(problem.words)") }
        }
        return causes
    }

    /// Asks until the answer is good.
    private func ask(_ question: String, _ name: String) throws -> String {
        while true {
            let answer = try readAnswer("\(question): ")
            guard let problem = try Self.problem(name, answer) else { return answer }
            print(answer.isEmpty ? "  please answer" : "  that \(problem.words)")
        }
    }

    private func askForConsent() throws {
        print("Let's Encrypt makes the certificate, for free. Its terms of service: \(Self.terms)")
        while true {
            switch try readAnswer("Do you agree to them? (yes/no) ").lowercased() {
            case "y", "yes": return
            case "n", "no":
                throw Failure(
                    error: "no settings were written", cause: "Let's Encrypt makes certificates only for those who agree to its terms",
                    tryThis: "use certificates of your own: `snikket config explain SNIKKET_CERTIFICATE`")
            default: print("  please answer yes or no")
            }
        }
    }

    private func readAnswer(_ prompt: String) throws -> String {
        print(prompt, terminator: "")
        fflush(nil)
        guard let line = readLine() else {
            throw Failure(error: "no settings were written", cause: "the answers ended early", tryThis: "run `snikket init` again")
        }
        return String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// What is wrong with a value; nil when it is good.
    private static func problem(_ name: String, _ value: String) throws -> Problem.Kind? {
        let option = try option(name)
        do throws(Problem.Kind) {
            try option.check(value)
            return nil
        } catch {
            return error
        }
    }

    private static func option(_ name: String) throws -> Settings.Option {
        guard let option = Settings.Option.named(name) else {
            throw Failure(error: "there is no option \(name)", cause: "this program is damaged", tryThis: "reinstall snikket")
        }
        return option
    }
}

extension Failure {
    static func settingsExist(_ file: String) -> Failure {
        Failure(
            error: "there are settings already", cause: "\(file) exists",
            tryThis: "edit it, or pass --force to write it anew without the options that are in it")
    }
}
