import Settings
import Templates

/// How far the service has come: for the page that people see while something of it does not serve.
public struct Progress: Sendable, Equatable {
    /// What is needed before it serves, in the words of those who use it.
    public enum Part: String, Sendable, Equatable {
        case certificate = "Certificate"
        case chat = "Chat"
        case pages = "Web pages"
        case calls = "Calls"
    }

    /// How far a part has come.
    public enum State: Sendable, Equatable {
        case waiting
        /// What is being done, in words; nil: it is starting.
        case underWay(String?)
        case ready
        /// When it is tried again, in words; nil: at once.
        case failed(next: String?)
    }

    /// A part, and how far it has come.
    public struct Step: Sendable, Equatable {
        public var part: Part
        public var state: State

        public init(_ part: Part, _ state: State) {
            (self.part, self.state) = (part, state)
        }
    }

    /// Whether it is the start; otherwise it has served already.
    public var isStart: Bool
    public var steps: [Step]
    /// Why there is no certificate yet; the page tells nothing else of what is wrong, which would be of use to strangers only.
    public var problem: Problem?

    public init(isStart: Bool, steps: [Step], problem: Problem? = nil) {
        (self.isStart, self.steps, self.problem) = (isStart, steps, problem)
    }

    /// Something that is wrong, in words for people.
    public struct Problem: Sendable, Equatable {
        public var error: String
        public var cause: String?
        public var tryThis: String?

        public init(error: String, cause: String? = nil, tryThis: String? = nil) {
            (self.error, self.cause, self.tryThis) = (error, cause, tryThis)
        }
    }
}

extension ServerFacts {
    /// The page that nginx shows, as it is at the moment of each request, while there is no certificate, and when what is behind it does not answer.
    /// It is none of nginx's own files: writing it needs nobody's acceptance, and no reload.
    public func waitingPage(_ progress: Progress) throws(ServerConfigsError) -> RenderedFile {
        let page = StaticPage(
            name: "waiting", title: progress.isStart ? "Getting ready" : "One moment",
            text: progress.isStart
                ? "This chat service is being started. The page looks again by itself every few seconds."
                : "A part of this chat service is being started again. The page looks again by itself every few seconds.",
            refresh: true, progress: progress)
        return try render(page)
    }

    func render(_ page: StaticPage) throws(ServerConfigsError) -> RenderedFile {
        let text = try locations.render(template: "nginx/page.html.template", .html, page.values(siteName: settings.siteName))
        return RenderedFile(path: "\(pages)/\(page.name).html", text: text, service: .nginx)
    }
}

extension Progress.State {
    /// A name for the page's style.
    var mark: String {
        switch self {
        case .waiting: "waiting"
        case .underWay: "working"
        case .ready: "done"
        case .failed: "failed"
        }
    }

    var words: String {
        switch self {
        case .waiting: "waiting"
        case .underWay(let what): what ?? "starting"
        case .ready: "ready"
        case .failed(let next): next.map { "failed; it is tried again \($0)" } ?? "failed; it is being tried again"
        }
    }
}
