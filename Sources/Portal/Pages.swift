import ChatServer
import QRCode
import Templates

/// Every page of the portal, from values to HTML.
struct Pages: Sendable {
    let texts: Texts
    private let configuration: PortalConfiguration
    private let assets: StaticFiles
    private let layout, storesPage, invitationPage, registerPage, welcomePage, homePage, messagePage: Page

    init(_ configuration: PortalConfiguration, assets: StaticFiles) throws(PortalError) {
        self.configuration = configuration
        self.assets = assets
        texts = try Texts(
            path: configuration.templates + "/languages/en.json",
            known: ["site": configuration.siteName, "domain": configuration.domain])
        try texts.check()
        let folder = configuration.templates + "/pages/"
        layout = try Page(path: folder + "layout.html", texts: texts)
        storesPage = try Page(path: folder + "stores.html", texts: texts)
        invitationPage = try Page(path: folder + "invitation.html", texts: texts)
        registerPage = try Page(path: folder + "register.html", texts: texts)
        welcomePage = try Page(path: folder + "welcome.html", texts: texts)
        homePage = try Page(path: folder + "home.html", texts: texts)
        messagePage = try Page(path: folder + "message.html", texts: texts)
    }

    /// The invitation: what this is, and the next step.
    ///
    /// - Parameters:
    ///   - invitation: a usable one.
    ///   - now: seconds since 1970.
    func invitation(_ invitation: Invitation, now: Int) throws(PortalError) -> String {
        let lead =
            if let inviter = invitation.inviter?.prefix(while: { $0 != "@" }) {
                texts(.inviteLeadPerson, ["inviter": String(inviter)])
            } else {
                texts(.inviteLeadService)
            }
        // An address too long for a code is not made by this program; the page is still useful without.
        let code = try? QRCode(invitation.url)
        return try page(
            texts(.inviteTitle),
            invitationPage.fragment([
                "lead": .text(lead), "admin": .flag(invitation.isAdmin), "uri": .text(invitation.uri),
                "stores": .html(try stores(AppLinks(uri: invitation.uri))),
                "register": .text("/invite/\(invitation.token)/register"),
                "qr_size": .number(code?.svgSize ?? 0), "qr_path": .text(code?.svgPath ?? ""),
                "expires": .text(expiry(of: invitation, now: now)),
            ]))
    }

    /// The registration form, with what was wrong about the last attempt.
    func registration(token: String, form: RegistrationForm, problems: RegistrationProblems) throws(PortalError) -> String {
        let focus = problems.firstField
        return try page(
            texts(.registerTitle),
            registerPage.fragment([
                "alert": .optional(problems.alert.map { texts($0) }),
                "action": .text("/invite/\(token)/register"), "back": .text("/invite/\(token)/"),
                "form": .text(form.formToken), "username": .text(form.username), "domain": .text(configuration.domain),
                "username_error": .optional(problems.username.map { texts($0) }),
                "password_error": .optional(problems.password.map { texts($0) }),
                "confirmation_error": .optional(problems.confirmation.map { texts($0) }),
                "focus_username": .flag(focus == .username), "focus_password": .flag(focus == .password),
                "focus_confirmation": .flag(focus == .confirmation),
            ]), narrow: true)
    }

    /// What to do with a new account.
    func welcome(address: String) throws(PortalError) -> String {
        try page(
            texts(.welcomeTitle),
            welcomePage.fragment(["address": .text(address), "stores": .html(try stores(AppLinks(uri: nil)))]), narrow: true, script: true)
    }

    /// The root page.
    func home() throws(PortalError) -> String {
        try page(texts(.homeTitle), homePage.fragment(["stores": .html(try stores(AppLinks(uri: nil)))]), narrow: true)
    }

    /// A page that says one thing.
    func message(_ heading: Texts.Key, _ lead: Texts.Key, help: Texts.Key? = nil, retry: String? = nil) throws(PortalError) -> String {
        let fragment = try messagePage.fragment([
            "heading": .text(texts(heading)), "lead": .text(texts(lead)), "help": .optional(help.map { texts($0) }),
            "retry": .optional(retry),
        ])
        return try page(texts(heading), fragment, narrow: true)
    }

    private func stores(_ links: AppLinks) throws(PortalError) -> HTML {
        try storesPage.fragment(["play": .text(links.play), "fdroid": .text(links.fdroid), "apple": .text(links.apple)])
    }

    private func page(_ title: String, _ content: HTML, narrow: Bool = false, script: Bool = false) throws(PortalError) -> String {
        try layout.fragment([
            "language": .text(texts.language), "title": .text(title), "site": .text(configuration.siteName), "content": .html(content),
            "narrow": .flag(narrow), "style": .text(assets.address(of: "style.css")), "icon": .text(assets.address(of: "icon.svg")),
            "script": script ? .text(assets.address(of: "copy.js")) : .absent,
            "terms": .optional(configuration.termsURI), "privacy": .optional(configuration.privacyURI),
        ]).description
    }

    private func expiry(of invitation: Invitation, now: Int) -> String {
        let hours = max(0, invitation.expires - now) / 3600
        return switch hours {
        case 48...: texts(.inviteExpiresDays, ["count": "\((hours + 12) / 24)"])
        case 24...: texts(.inviteExpiresDay)
        case 2...: texts(.inviteExpiresHours, ["count": "\(hours)"])
        default: texts(.inviteExpiresSoon)
        }
    }
}
