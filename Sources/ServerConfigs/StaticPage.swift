import Settings
import Templates

/// A page that nginx shows without the portal: errors, and the wait for the first certificate.
struct StaticPage {
    let name: String
    let title: String
    let text: String
    var refresh = false
    var problem: ServerFacts.Problem?

    static func all(_ phase: ServerFacts.Phase) -> [StaticPage] {
        switch phase {
        case .gettingReady(let problem):
            [
                StaticPage(
                    name: "ready", title: "Getting ready",
                    text: "This chat service is being set up. The page looks again by itself every few seconds.", refresh: true, problem: problem)
            ]
        case .serving:
            [
                StaticPage(name: "404", title: "Nothing here", text: "There is no page at this address. Perhaps the link was not copied whole."),
                StaticPage(
                    name: "502", title: "One moment", text: "A part of the service is starting again. The page looks again by itself.", refresh: true),
                StaticPage(
                    name: "503", title: "Too busy", text: "The service has too much to do right now. The page looks again by itself.", refresh: true),
                StaticPage(name: "504", title: "No answer in time", text: "A part of the service did not answer. Please try again in a minute."),
            ]
        }
    }

    func values(siteName: String) -> [String: Value] {
        [
            "siteName": .text(siteName), "title": .text(title), "text": .text(text), "refresh": .flag(refresh),
            "problem": .optional(problem?.error), "cause": .optional(problem?.cause), "remedy": .optional(problem?.tryThis),
        ]
    }
}
