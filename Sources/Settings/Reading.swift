/// From assignments to settings, collecting every problem on the way.
struct Reading {
    var assignments: [String: ConfigurationFile.Assignment] = [:]
    var draft = Draft.ofDefaults
    private var problems: [Problem]

    init(_ file: ConfigurationFile) {
        problems = file.problems
        for assignment in file.assignments {
            if let first = assignments[assignment.name] {
                problems.append(Problem(line: assignment.line, option: assignment.name, kind: .setTwice(firstLine: first.line)))
            } else {
                assignments[assignment.name] = assignment
            }
        }
    }

    /// Problems in the order of their lines, those without one last.
    var sortedProblems: [Problem] {
        problems.enumerated()
            .sorted { ($0.element.line ?? .max, $0.offset) < ($1.element.line ?? .max, $1.offset) }
            .map(\.element)
    }

    /// Replaces what the file says.
    mutating func override(with overrides: [(name: String, value: String)]) {
        var seen: Set<String> = []
        for (name, value) in overrides {
            if !seen.insert(name).inserted { problems.append(Problem(line: nil, option: name, kind: .setTwice(firstLine: nil))) }
            if let control = value.unicodeScalars.first(where: \.isControl) {
                problems.append(Problem(line: nil, option: name, kind: .controlCharacter(control.value)))
            } else {
                assignments[name] = .init(line: nil, name: name, value: value)
            }
        }
    }

    /// The settings; meaningless unless there are no problems afterwards.
    mutating func settings() -> Settings {
        var refused: Set<String> = Set(problems.compactMap(\.option))
        for assignment in assignments.values.sorted(by: { ($0.line ?? .max, $0.name) < ($1.line ?? .max, $1.name) }) {
            take(assignment, refused: &refused)
        }
        for option in Settings.Option.all {
            guard case .required = option.fallback, draft.settings.given[option.name] == nil, !refused.contains(option.name) else {
                continue
            }
            problems.append(Problem(line: assignments[option.name]?.line, option: option.name, kind: .missing))
        }
        draft.derive(except: Set(draft.settings.given.keys))
        checkCertificate(refused: refused)
        checkChallenge(refused: refused)
        checkPorts(refused: refused)
        checkRelay(refused: refused)
        checkProtocols(refused: refused)
        checkFront(refused: refused)
        return draft.finished
    }

    private mutating func take(_ assignment: ConfigurationFile.Assignment, refused: inout Set<String>) {
        guard let option = Settings.Option.named(assignment.name) else {
            let nearest = Settings.Option.nearestName(to: assignment.name)
            problems.append(Problem(line: assignment.line, option: assignment.name, kind: .unknown(nearest: nearest)))
            return
        }
        // As with Docker, an empty value is as good as none.
        guard !assignment.value.isEmpty else { return }
        do throws(Problem.Kind) {
            draft.settings.given[option.name] = try option.accept(&draft, assignment.value)
        } catch {
            refused.insert(option.name)
            problems.append(Problem(line: assignment.line, option: option.name, kind: error))
        }
        switch option.effect {
        case .now: break
        case .later(let what): notice(option.name, "it takes effect in a later version, with \(what)")
        case .meaningless(let why): notice(option.name, why)
        }
    }

    mutating func notice(_ option: String, _ reason: String) {
        draft.settings.notices.append(Notice(line: assignments[option]?.line, option: option, reason: reason))
    }

    /// A problem of an option, at its own line or at that of the one that asks for it.
    mutating func problem(_ option: String, at other: String? = nil, _ kind: Problem.Kind) {
        problems.append(Problem(line: assignments[other ?? option]?.line, option: option, kind: kind))
    }

    func isGiven(_ option: String) -> Bool { draft.settings.given[option] != nil }

    /// What the options about certificates have to do with each other.
    private mutating func checkCertificate(refused: Set<String>) {
        let source = "SNIKKET_CERTIFICATE"
        guard !refused.contains(source) else { return }
        for option in ["SNIKKET_CERTIFICATE_FULLCHAIN", "SNIKKET_CERTIFICATE_KEY"] where !refused.contains(option) {
            let isGiven = draft.settings.given[option] != nil
            if draft.certificate == .files, !isGiven {
                problems.append(
                    Problem(line: assignments[source]?.line, option: option, kind: .missingFor(option: source, value: "files")))
            } else if draft.certificate != .files, isGiven {
                notice(option, "it is used only with \(source)=files")
            }
        }
        for option in ["SNIKKET_ACME_DIRECTORY", "SNIKKET_ACME_CA_BUNDLE", "SNIKKET_ACME_EAB_FILE"] {
            guard draft.certificate != .acme, draft.settings.given[option] != nil else { continue }
            notice(option, "it is used only with \(source)=acme")
        }
        if draft.certificate == .acme, draft.agreesToTerms == false {
            notice(
                "SNIKKET_LETSENCRYPT_TOS_AGREE",
                "asking the authority for a certificate is agreeing to its terms; if you do not, set \(source) to files or internal")
        }
    }

    /// That apps are told of a TURN server on another machine with what lets them in: without it there would be no calls, and nothing to see.
    private mutating func checkRelay(refused: Set<String>) {
        let (host, secret) = ("SNIKKET_TWEAK_TURNSERVER_DOMAIN", Settings.relaySecretOption)
        guard !draft.settings.turn.enabled, isGiven(host), !isGiven(secret), !refused.contains(secret) else { return }
        problem(secret, at: host, .missingBeside(option: host))
    }

    /// That there is something left to listen on.
    private mutating func checkProtocols(refused: Set<String>) {
        let (four, six) = ("SNIKKET_IPV4", "SNIKKET_TWEAK_IPV6")
        guard refused.isDisjoint(with: [four, six]), !draft.settings.ipv4, !draft.settings.ipv6 else { return }
        problem(four, .leavesNothing(beside: six))
    }

    /// That no port is used twice.
    private mutating func checkPorts(refused: Set<String>) {
        let turn = draft.settings.turn
        var users: [Int: String] = [:]
        for (option, port) in listeners where !refused.contains(option) {
            guard let other = users[port] else {
                users[port] = option
                continue
            }
            // The one that is in the file is the one that can be changed.
            let (culprit, victim) = assignments[option] == nil ? (other, option) : (option, other)
            problems.append(Problem(line: assignments[culprit]?.line, option: culprit, kind: .portUsedTwice(port: port, by: victim)))
        }
        let range = (lowest: "SNIKKET_TWEAK_TURNSERVER_MIN_PORT", highest: "SNIKKET_TWEAK_TURNSERVER_MAX_PORT")
        guard turn.enabled, !refused.contains(range.lowest), !refused.contains(range.highest) else { return }
        let culprit = assignments[range.lowest] == nil ? range.highest : range.lowest
        guard turn.minimumRelayPort <= turn.maximumRelayPort else {
            let kind = Problem.Kind.rangeReversed(lowest: turn.minimumRelayPort, highest: turn.maximumRelayPort)
            problems.append(Problem(line: assignments[culprit]?.line, option: culprit, kind: kind))
            return
        }
        // The relay's ports are UDP, and so are these two.
        for option in ["SNIKKET_TWEAK_TURNSERVER_PORT", "SNIKKET_TWEAK_TURNSERVER_TLS_PORT"] where !refused.contains(option) {
            let port = option.hasSuffix("_TLS_PORT") ? draft.settings.ports.turnTLS : draft.settings.ports.turn
            guard (turn.minimumRelayPort...turn.maximumRelayPort).contains(port) else { continue }
            let culprit = assignments[option] == nil ? culprit : option
            problems.append(Problem(line: assignments[culprit]?.line, option: culprit, kind: .rangeHoldsPort(port: port, of: option)))
        }
    }

    /// Every port that something listens on, by its option.
    private var listeners: [(option: String, port: Int)] {
        let (settings, ports) = (draft.settings, draft.settings.ports)
        var listeners = [
            ("SNIKKET_TWEAK_HTTP_PORT", ports.http),
            ("SNIKKET_TWEAK_XMPP_CLIENT_PORT", ports.xmppClient), ("SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT", ports.xmppClientTLS),
            ("SNIKKET_TWEAK_XMPP_SERVER_PORT", ports.xmppServer), ("SNIKKET_TWEAK_XMPP_SERVER_TLS_PORT", ports.xmppServerTLS),
            ("SNIKKET_PROXY65_PORT", ports.proxy65), ("SNIKKET_TWEAK_INTERNAL_HTTP_PORT", ports.internalHTTP),
        ]
        if settings.sharesHTTPSPort {
            listeners += [("SNIKKET_INTERNAL_CLIENT_PORT", ports.clientFront), ("SNIKKET_INTERNAL_SERVER_PORT", ports.serverFront)]
        }
        if draft.webProtocols != .http { listeners.insert(("SNIKKET_TWEAK_HTTPS_PORT", ports.https), at: 1) }
        if let metrics = draft.metricsListen {
            listeners.append((isGiven("SNIKKET_METRICS_LISTEN") ? "SNIKKET_METRICS_LISTEN" : "SNIKKET_TWEAK_PROMETHEUS", metrics.port))
        }
        if settings.turn.enabled {
            listeners += [
                ("SNIKKET_TWEAK_TURNSERVER_PORT", ports.turn), ("SNIKKET_TWEAK_TURNSERVER_TLS_PORT", ports.turnTLS),
            ]
        }
        return listeners
    }
}
