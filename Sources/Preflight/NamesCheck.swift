internal import Settings

/// Whether the names lead to this machine (A, and who has none).
struct NamesCheck {
    let settings: Settings
    let machine: MachineAddresses

    func findings(_ names: [PublishedName]) -> [Finding] { names.map(finding) }

    private func finding(_ name: PublishedName) -> Finding {
        if let failure = name.failure {
            return Finding(
                .address, .red, "DNS does not tell about \(name.name): \(failure.words)",
                try: "look at the domain where you registered it, then run `sudo snikket check` again")
        }
        guard !name.four.isEmpty || !name.six.isEmpty else { return missing(name) }
        let (ours, others) = (name.four.filter(machine.holds), name.four.filter { !machine.holds($0) })
        let what = name.name + (name.alias.map { " (alias of \($0))" } ?? "")
        if let useless = name.four.first(where: { AddressKind($0) == .here }) {
            return wrong(name, "\(what) has the address \(useless), which leads nobody to this machine")
        }
        if !settings.ipv4, let four = name.four.first {
            return Finding(
                .address, .red, "\(what) has the IPv4 address \(four), and SNIKKET_IPV4 switches IPv4 off",
                try: "remove the record \(name.alias ?? name.name). A \(four), or switch IPv4 on")
        }
        if name.four.isEmpty {
            guard !machine.four.isEmpty || !machine.privateFour.isEmpty else {
                return Finding(.address, .green, "\(what) has IPv6 only, as this machine")
            }
            if !settings.ipv4 { return Finding(.address, .green, "\(what) has IPv6 only, as snikket.conf has it (SNIKKET_IPV4)") }
            return Finding(
                .address, .yellow, "\(what) has no IPv4 address: who has no IPv6 at home cannot reach it",
                try: "add this record at your DNS provider", records: addressRecords(of: name, fresh: true))
        }
        if others.isEmpty {
            guard let inside = ours.first(where: { AddressKind($0) == .private }) else {
                return Finding(.address, .green, "\(what) has the address \(listed(ours)), this machine's")
            }
            return withinOwnNetwork(what, inside)
        }
        if settings.isFrontElsewhere {
            return Finding(
                .address, .yellow,
                "\(what) has the address \(listed(others)), not this machine's; whether that is the web server in front cannot be told from here",
                try:
                    "make sure that it is, and that it passes on the ports for apps, other servers and calls too, or that SRV records lead those to this machine"
            )
        }
        if machine.isBehindNAT {
            return Finding(
                .address, .yellow,
                "\(what) has the address \(listed(others)); this machine has only private addresses (\(listed(machine.privateFour))), so that cannot be told from here",
                try: "make sure that \(listed(others)) is your router's or your provider's address for this machine, and that it passes the ports on")
        }
        if !ours.isEmpty {
            return wrong(name, "\(what) has the address \(listed(ours)), and also \(listed(others)), which is not this machine's", others)
        }
        return wrong(name, "\(what) has the address \(listed(others)); this machine's is \(listed(machine.four))", others)
    }

    private func withinOwnNetwork(_ what: String, _ address: String) -> Finding {
        let isOwn = "\(what) has the address \(address), this machine's within its own network: nobody outside reaches it"
        if case .acme = settings.certificates, settings.challenge == .http || settings.challenge == .tlsALPN {
            return Finding(
                .address, .red, isOwn + ", and no certificate authority does",
                try: "publish the public address of your network, or use SNIKKET_CERTIFICATE=internal or SNIKKET_CHALLENGE=dns-01")
        }
        return Finding(.address, .yellow, isOwn, try: "nothing, when it is meant so")
    }

    private func wrong(_ name: PublishedName, _ what: String, _ others: [String] = []) -> Finding {
        let correct = addressRecords(of: name, fresh: false)
        let owner = name.alias ?? name.name
        return Finding(
            .address, .red, what,
            try: others.isEmpty || correct.isEmpty
                ? "correct the A record of \(owner)" : "replace the A record \(owner). A \(listed(others)) at your DNS provider by this one",
            records: correct)
    }

    private func missing(_ name: PublishedName) -> Finding {
        Finding(
            .address, .red,
            name.exists ? "\(name.name) has no address" : "\(name.name)\(name.alias.map { " is an alias of \($0), and that" } ?? "") does not exist",
            try: addressRecords(of: name, fresh: true).isEmpty
                ? "add an A record for \(name.name) with the public address of your network at your DNS provider"
                : "add this record at your DNS provider, and wait some minutes", records: addressRecords(of: name, fresh: true))
    }

    /// What has to stand in DNS for a name: an address for the domain itself, an alias of it for the names below.
    ///
    /// - Parameter fresh: whether the name has nothing yet, so that an alias can be put there.
    private func addressRecords(of name: PublishedName, fresh: Bool) -> [String] {
        if fresh, name.alias == nil, name.name != settings.webHost, name.name.hasSuffix("." + settings.domain), name.six.isEmpty {
            return ["\(name.name). CNAME \(settings.webHost)."]
        }
        return machine.four.prefix(1).map { "\(name.alias ?? name.name). A \($0)" }
            + (machine.four.isEmpty && fresh && name.six.isEmpty ? machine.six.prefix(1).map { "\(name.name). AAAA \($0)" } : [])
    }
}
