import Settings
import Templates

/// A page that nginx shows without the portal.
struct StaticPage {
    let name: String
    let title: String
    let text: String
    var refresh = false
    var progress: Progress?

    /// Those that never change.
    static func all(_ phase: ServerFacts.Phase) -> [StaticPage] {
        switch phase {
        case .gettingReady: []
        case .serving:
            [
                StaticPage(name: "404", title: "Nothing here", text: "There is no page at this address. Perhaps the link was not copied whole."),
                StaticPage(name: "504", title: "No answer in time", text: "A part of the service did not answer. Please try again in a minute."),
            ]
        }
    }

    func values(siteName: String) -> [String: Value] {
        let problem = progress?.problem
        let steps = (progress?.steps ?? []).map { step -> [String: Value] in
            ["part": .text(step.part.rawValue), "mark": .text(step.state.mark), "words": .text(step.state.words)]
        }
        return [
            "siteName": .text(siteName), "title": .text(title), "text": .text(text), "refresh": .flag(refresh), "steps": .rows(steps),
            "problem": .optional(problem?.error), "cause": .optional(problem?.cause), "remedy": .optional(problem?.tryThis),
        ]
    }
}
