internal import DNS
internal import FoundationEssentials

/// Accounts (RFC 8555 §7.3).
extension Client {
    /// Finds the account of this key, or makes it, agreeing to the CA's terms; an account with another contact gets this one.
    /// Returns its URL.
    public func account(contact: String?, external: ExternalAccount? = nil) async throws(ACMEError) -> String {
        struct Request: Encodable {
            var contact: [String]?
            var termsOfServiceAgreed = true
            var externalAccountBinding: SignedMessage?
        }
        let directory = try await directory()
        if directory.meta?.externalAccountRequired == true, external == nil { throw .externalAccountRequired }
        let contacts = contact.map { ["mailto:\($0)"] }
        var request = Request(contact: contacts)
        do { request.externalAccountBinding = try external?.binding(of: signer.publicKey, url: directory.newAccount) } catch { throw .signing(error) }
        let found: (url: String, status: Int, account: Account?)
        do throws(ACMEError) {
            found = try await openAccount(try json(request))
        } catch .problem(let problem, _, _, _) where problem.name == "externalAccountRequired" {
            throw .externalAccountRequired
        }
        // What a known account is asked with changes nothing (RFC 8555 §7.3.1).
        if found.status == 200, let contact, let known = found.account, known.contact ?? [] != contacts {
            try await update(contact: contact)
        }
        return found.url
    }

    /// Finds the account of this key, and never makes one (RFC 8555 §7.3.1). nil when there is none.
    public func existingAccount() async throws(ACMEError) -> (url: String, contacts: [String])? {
        do throws(ACMEError) {
            let found = try await openAccount(Array(#"{"onlyReturnExisting":true}"#.utf8))
            return (found.url, (found.account?.contact ?? []).map(printable))
        } catch .problem(let problem, _, _, _) where problem.name == "accountDoesNotExist" {
            return nil
        }
    }

    /// Gives the account another contact (RFC 8555 §7.3.2).
    public func update(contact: String) async throws(ACMEError) {
        struct Request: Encodable {
            var contact: [String]
        }
        try await change(try json(Request(contact: ["mailto:\(contact)"])))
    }

    /// Ends the account for good (RFC 8555 §7.3.6).
    public func deactivateAccount() async throws(ACMEError) {
        try await change(Array(#"{"status":"deactivated"}"#.utf8))
        forgetAccount()
    }

    /// Gives the account another key (RFC 8555 §7.3.5). From then on it has to be used with that one.
    public func rollover(to new: any Signer) async throws(ACMEError) {
        struct Change: Encodable {
            var account: String
            var oldKey: JSONWebKey
        }
        guard let url = try await directory().keyChange else { throw .unsupported(.keyChange) }
        let account = try known()
        let payload = try json(Change(account: account, oldKey: signer.publicKey))
        let inner: SignedMessage
        do {
            inner = try SignedMessage(header: JWSHeader(jwk: new.publicKey, url: url), payload: payload, signature: new.signature)
        } catch { throw .signing(error) }
        _ = try await post(url, payload: inner.bytes, step: .account)
    }

    /// An account that the CA does not know any more is forgotten: the next request makes one.
    func forgetAccount() { accountURL = nil }

    private func known() throws(ACMEError) -> String {
        guard let accountURL else { throw .unsupported(.requestWithoutAccount) }
        return accountURL
    }

    private func change(_ payload: [UInt8]) async throws(ACMEError) {
        _ = try await post(try known(), payload: payload, step: .account)
    }

    private func openAccount(_ payload: [UInt8]) async throws(ACMEError) -> (url: String, status: Int, account: Account?) {
        let page = try await directory().newAccount
        let found = try await post(page, payload: payload, step: .account, as: .key) { (response) throws(ACMEError) in
            guard let url = response.header("location") else {
                throw .unexpected(url: page, status: response.status, what: .missing("location"))
            }
            // It is kept, and sent with every request.
            guard isLink(url) else { throw .unexpected(url: printable(url), status: response.status, what: .badLink) }
            // The body is only looked at for the contact: some CAs send none.
            return (url: url, status: response.status, account: try? self.decode(Account.self, from: response, url: page))
        }
        accountURL = found.url
        return found
    }

    func json(_ value: some Encodable) throws(ACMEError) -> [UInt8] {
        do { return try encoded(value) } catch { throw .signing(error) }
    }
}
