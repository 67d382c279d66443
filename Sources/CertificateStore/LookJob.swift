internal import FoundationEssentials

/// What `snikket-certs look` reads on standard input, as JSON: it can hold a secret, so it stands on no command line.
public struct LookJob: Sendable, Codable, Equatable {
    /// The endpoints to look at, all at once.
    public var questions: [Question]
    /// How long one look may take.
    public var milliseconds: Int

    public init(questions: [Question], milliseconds: Int) {
        self.questions = questions
        self.milliseconds = milliseconds
    }

    /// One endpoint.
    public struct Question: Sendable, Codable, Equatable {
        /// Comes back in the answer.
        public var name: String
        /// An IPv4 address, or an IPv6 one in brackets, then `:` and the port.
        public var address: String
        /// The host name: for TLS and HTTP.
        public var host: String
        public var scene: Scene
        public var way: Way

        public init(name: String, address: String, host: String, scene: Scene, way: Way = .tls) {
            self.way = way
            self.name = name
            self.address = address
            self.host = host
            self.scene = scene
        }
    }

    /// How it is come to, as by a web server in front of it.
    public struct Way: Sendable, Codable, Equatable {
        /// Without TLS, for a page or a place for uploads.
        public var isPlain: Bool
        /// Said first who the connection is from (the PROXY protocol): nobody in particular.
        public var isAnnounced: Bool

        public init(isPlain: Bool, isAnnounced: Bool) {
            (self.isPlain, self.isAnnounced) = (isPlain, isAnnounced)
        }

        /// As everybody comes.
        public static let tls = Way(isPlain: false, isAnnounced: false)
    }

    /// What is to be seen there.
    public enum Scene: Sendable, Codable, Equatable {
        /// XMPP for apps: STARTTLS or direct TLS, and then a way to log in.
        case clients(domain: String, isDirect: Bool)
        /// XMPP for apps: STARTTLS, and logging in.
        case login(domain: String, username: String, password: String)
        /// XMPP for servers: STARTTLS or direct TLS.
        case servers(domain: String, isDirect: Bool)
        /// A web page.
        case page(path: String)
        /// The place for uploads.
        case upload(path: String)
        /// A relay address, had with credentials of this secret and given back.
        case relay(secret: String, over: Transport)
        /// Nothing but that somebody listens.
        case port
    }

    /// What a relay is asked over.
    public enum Transport: String, Sendable, Codable {
        case udp, tcp, tls
    }

    /// As JSON.
    public func json() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) }

    /// Reads what ``json()`` wrote.
    public init(json: [UInt8]) throws { self = try JSONDecoder().decode(LookJob.self, from: Data(json)) }
}

/// What `snikket-certs look` prints: one JSON object a line, one for each question, as they come.
public struct LookAnswer: Sendable, Codable, Equatable {
    /// The question's.
    public var name: String
    /// How long it took.
    public var milliseconds: Int
    /// The serial of the certificate that is served, lower-case hexadecimal; nil when there was none to see.
    public var serial: String?
    /// Whether that certificate is for the host name and good at this moment; nil when there was none to see.
    public var isGood: Bool?
    public var verdict: Verdict
    /// In words; nil when everything is as it should be.
    public var reason: String?

    public init(name: String, milliseconds: Int, serial: String? = nil, isGood: Bool? = nil, verdict: Verdict, reason: String? = nil) {
        self.name = name
        self.milliseconds = milliseconds
        self.serial = serial
        self.isGood = isGood
        self.verdict = verdict
        self.reason = reason
    }

    /// What it says about the server.
    public enum Verdict: String, Sendable, Codable {
        /// Everything is as it should be.
        case good
        /// The server does not serve as it should.
        case bad
        /// It serves, and whoever it hands requests on to does not.
        case behind
        /// This machine could not even ask; nothing is known about the server.
        case unasked
    }

    /// The answer of a line; nil when it is none, which a reader passes over.
    public init?(line: some StringProtocol) {
        guard let answer = try? JSONDecoder().decode(Self.self, from: Data(line.utf8)) else { return nil }
        self = answer
    }

    /// The answer as one line, without its end.
    public var line: String { (try? encoded(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}" }
}
