import ChatServer
import Glibc
import RealServers
import ServerConfigs
import Settings
import Subprocess
import SystemPackage
import Testing

@testable import Portal

@Suite("random values in the real pages, read back by Python's parser")
struct RandomPageTests {
    @Test("the portal's pages have exactly the values as text, and not one element more")
    func portal() async throws {
        let folder = try Folder()
        var nasty = NastySettings(seed: 21)
        var comparison = PageComparison()
        let plain = Values(
            site: "Placeholder-site", terms: "https://placeholder/terms", privacy: "https://placeholder/privacy", inviter: "Placeholder-inviter",
            username: "Placeholder-username", uri: "xmpp:placeholder")
        for _ in 0..<40 {
            let values = Values(
                site: nasty.text(), terms: "https://" + nasty.text(), privacy: "mailto:" + nasty.text(), inviter: nasty.text(without: "@"),
                username: nasty.text(), uri: plain.uri)
            for (one, other) in zip(try pages(values), try pages(plain)) {
                // Only those that the page has: some have no name in them.
                let all = [
                    plain.site: values.site, plain.terms: values.terms, plain.privacy: values.privacy, plain.inviter: values.inviter,
                    plain.username: values.username,
                ]
                comparison.pairs.append(
                    .init(name: one.name, nasty: one.html, plain: other.html, values: all.filter { other.html.contains($0.key) }))
            }
        }
        try await comparison.check(in: folder)
    }

    /// What the portal puts into its pages that somebody chose.
    private struct Values {
        var site, terms, privacy, inviter, username, uri: String
    }

    private func pages(_ values: Values) throws -> [(name: String, html: String)] {
        let templates = Checkout.templates + "/portal"
        let configuration = PortalConfiguration(
            domain: "chat.example", siteName: values.site, socket: "", apiPort: 9, apiSecret: "", templates: templates, termsURI: values.terms,
            privacyURI: values.privacy)
        let pages = try Pages(configuration, assets: try StaticFiles(folder: templates + "/static"))
        let invitation = Invitation(
            token: "abc", url: "https://chat.example/invite/abc/", uri: values.uri, expires: 100_000, isAdmin: true, isReusable: false,
            comment: nil, inviter: values.inviter + "@chat.example")
        var form = RegistrationForm(formToken: "token")
        form.username = values.username
        var problems = RegistrationProblems()
        (problems.username, problems.password, problems.confirmation) = (.usernameInvalid, .passwordShort, .passwordsDiffer)
        return [
            ("home", try pages.home()), ("invitation", try pages.invitation(invitation, now: 0)),
            ("register", try pages.registration(token: "abc", form: form, problems: problems)),
            ("welcome", try pages.welcome(address: values.username + "@chat.example")),
            ("message", try pages.message(.goneTitle, .goneLead, help: .goneHelp, retry: "/invite/abc/")),
        ]
    }

    @Test("nginx's own pages have exactly the values as text, and not one element more")
    func nginxPages() async throws {
        let folder = try Folder()
        var nasty = NastySettings(seed: 22)
        var comparison = PageComparison()
        let placeholders = Progress.Problem(error: "Placeholder-error", cause: "Placeholder-cause", tryThis: "Placeholder-try")
        for round in 0..<40 {
            var plain = try Example.minimal.facts()
            var facts = plain
            plain.settings.siteName = "Placeholder-site"
            facts.settings.siteName = nasty.text()
            let problem = Progress.Problem(error: nasty.text(), cause: nasty.text(), tryThis: nasty.text())
            // A name in what is being done comes from the settings, or from whoever wrote them.
            let step = nasty.text()
            func progress(_ step: String, _ problem: Progress.Problem) -> Progress {
                Progress(
                    isStart: round.isMultiple(of: 2), steps: [.init(.certificate, .underWay(step)), .init(.chat, .failed(next: step))],
                    problem: problem)
            }
            let all = [
                "Placeholder-site": facts.settings.siteName, "Placeholder-error": problem.error, "Placeholder-cause": problem.cause ?? "",
                "Placeholder-try": problem.tryThis ?? "", "Placeholder-step": step,
            ]
            let ours = try facts.files(of: .nginx) + [facts.waitingPage(progress(step, problem))]
            let theirs = try plain.files(of: .nginx) + [plain.waitingPage(progress("Placeholder-step", placeholders))]
            for (one, other) in zip(ours, theirs) where one.path.hasSuffix(".html") {
                comparison.pairs.append(
                    .init(name: one.path, nasty: one.text, plain: other.text, values: all.filter { other.text.contains($0.key) }))
            }
        }
        #expect(comparison.pairs.count == 120)
        try await comparison.check(in: folder)
    }

    @Test("nginx accepts random settings and places, and serves its page with the site's name unharmed", arguments: [true, false])
    func served(isReady: Bool) async throws {
        var nasty = NastySettings(seed: isReady ? 23 : 24)
        var comparison = PageComparison()
        let folder = try Folder()
        for _ in 0..<6 {
            let port = try FreePorts.block(of: 50)
            let progress = Progress(isStart: !isReady, steps: [.init(.certificate, .underWay(nasty.text()))], problem: .init(error: nasty.text()))
            // nginx has no way to write a dollar sign; a socket's path has room for 107 bytes.
            let place = nasty.text(without: "/$", atMost: 30)
            let stage = try await Stage(try nasty.settings(firstPort: port), phase: isReady ? .serving : .gettingReady, place: place)
            let files = try stage.facts.files(of: .nginx)
            try await stage.acceptance().accept(.nginx, files)
            let wanted = try stage.facts.waitingPage(progress)
            try (files + [wanted]).write()
            let command = try #require(stage.facts.command(for: .nginx, programs: stage.programs))
            let url =
                isReady
                ? "https://\(stage.facts.settings.domain):\(stage.facts.settings.ports.https)/"
                : "http://\(stage.facts.settings.domain):\(stage.facts.settings.ports.http)/"
            let page = try await RealServer.with(command.executable, command.arguments) { _ in
                var page = ""
                try await until {
                    let result = try await run(
                        .name("curl"), arguments: ["--silent", "--insecure", "--max-time", "20", "--connect-to", "::127.0.0.1:", url],
                        output: .string(limit: 100_000), error: .discarded)
                    page = result.standardOutput
                    return result.terminationStatus.isSuccess
                }
                return page
            }
            #expect(page == wanted.text, "\(place)")
            comparison.pairs.append(.init(name: place, nasty: page, plain: wanted.text, values: [:]))
        }
        try await comparison.check(in: folder)
    }
}
