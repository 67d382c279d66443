import Settings
import Templates

extension ServerFacts {
    func prosodyFile() throws(ServerConfigsError) -> RenderedFile {
        let folder = locations.run(of: .prosody)
        let chatHost = settings.chatHost
        let values: [String: Value] = [
            "dataFolder": .text(locations.prosodyData),
            "moduleFolder": .text(locations.templates + "/prosody/modules"),
            "database": .text(locations.prosodyData + "/prosody.sqlite"),
            "logLevel": .text(settings.logLevel.rawValue),
            "retentionSeconds": .number(retentionSeconds),
            // mod_invites fills in {invite.token}; our settings call it {token}.
            "invitationPage": .text(replacing("{token}", in: settings.invitationURL, with: "{invite.token}")),
            "siteName": .text(settings.siteName),
            "tlsProfile": .text(settings.tlsProfile.rawValue),
            "certificateFolder": .text(folder + "/tls"),
            "certificate": .text(certificate(of: .prosody)),
            "privateKey": .text(privateKey(of: .prosody)),
            "interfaces": .texts(
                settings.listenAddresses.isEmpty ? (settings.ipv4 ? ["*"] : []) + (usesIPv6 ? ["::"] : []) : settings.listenAddresses),
            "ipv6": .flag(usesIPv6),
            "clientPort": .number(settings.ports.xmppClient),
            "clientTLSPort": .number(settings.ports.xmppClientTLS),
            "federation": .flag(settings.federation),
            "serverPort": .number(settings.ports.xmppServer),
            "serverTLSPort": .number(settings.ports.xmppServerTLS),
            "sharesPort": .flag(settings.sharesHTTPSPort),
            "clientFrontPort": .number(settings.ports.clientFront),
            "serverFrontPort": .number(settings.ports.serverFront),
            "relayOnSharedPort": .flag(settings.relaysOnHTTPSPort),
            "sharedPort": .number(settings.publicHTTPSPort),
            "proxy65Port": .number(settings.ports.proxy65),
            "internalHTTPPort": .number(settings.ports.internalHTTP),
            "httpSocket": .optional(chatSocket),
            "domain": .text(settings.domain),
            "webHost": .text(settings.webHost),
            "webURL": .text(settings.webURL + "/"),
            "maximumClientsPerUser": .number(settings.maximumClientsPerUser),
            "adminContact": .text("mailto:" + settings.adminEmail),
            "abuseContact": .optional(settings.abuseEmail.map { "mailto:" + $0 }),
            "securityContact": .optional(settings.securityEmail.map { "mailto:" + $0 }),
            "termsURI": .optional(settings.termsURI),
            "privacyURI": .optional(settings.privacyURI),
            "metrics": .flag(settings.metricsListen != nil),
            "apiSecret": .text(secrets.api),
            "chatHost": .text(chatHost),
            // Announced when there is a server to announce: our own, or another one whose secret is known.
            "turn": .flag(settings.turn.enabled || settings.turn.secret != nil),
            "turnHost": .text(settings.turn.host),
            "turnPort": .number(settings.ports.turn),
            "turnTLSPort": .number(settings.ports.turnTLS),
            "turnSecret": .text(turnSecret),
            "groupsHost": .text("groups." + chatHost),
            "groupsName": .text("Group chats of \(settings.siteName)"),
            "shareHost": .text("share." + chatHost),
            "shareName": .text("Files of \(settings.siteName)"),
            "shareHTTPHost": .text(settings.shareHost),
            "shareURL": .text(uploadOrigin + "/"),
            "uploadPath": .text(uploadPath),
            "uploadLimitBytes": .number(uploadLimitBytes),
            "dailyUploadBytes": .number(Self.bytes(gigabytes: settings.dailyUploadLimitGigabytes)),
            "uploadStorageBytes": .optional(settings.uploadStorageGigabytes.map(Self.bytes)),
            "proxyHost": .text("proxy." + chatHost),
        ]
        let text = try locations.render(template: "prosody/prosody.cfg.lua.template", .lua, values)
        return RenderedFile(path: folder + "/prosody.cfg.lua", text: text, service: .prosody, isSecret: true)
    }

    private static func bytes(gigabytes: Double) -> Int {
        Int((gigabytes * 1_073_741_824).rounded().clamped(to: 0...9.0e15))
    }

    /// Addresses on XMPP have their host names in Unicode (RFC 7622 §3.2); certificates and URLs have them in ASCII.
}

/// A text with every occurrence of a part replaced.
func replacing(_ part: String, in text: String, with replacement: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let range = rest.firstRange(of: part) {
        result += rest[..<range.lowerBound] + replacement
        rest = rest[range.upperBound...]
    }
    return result + rest
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double { min(max(self, range.lowerBound), range.upperBound) }
}
