/// Why there is no certificate.
public enum ACMEError: Error, Sendable, Equatable {
    /// No response from the CA.
    case transport(url: String, TransportError)
    /// The CA refuses. `retryAfter` in seconds, when it said when to come back.
    case problem(Problem, status: Int, url: String, retryAfter: Int?)
    /// There is nothing at the directory's URL.
    case noDirectory(url: String, status: Int)
    /// The CA answered with something that RFC 8555 does not permit.
    case unexpected(url: String, status: Int, what: Unexpected)
    /// The CA wants an account that was arranged with it before (RFC 8555 §7.3.4).
    case externalAccountRequired
    /// The CA has no such profile; those it has.
    case unknownProfile(String, offered: [String])
    /// The CA cannot do this.
    case unsupported(Feature)
    /// The CA offers no challenge for this name that we can fulfil.
    case noChallenge(name: String, offered: [String])
    /// The challenge for this name could not be put in place.
    case challenge(name: String, ChallengeError)
    /// DNS forbids this CA to issue for these names (RFC 8659). The CA was not asked.
    case forbidden([ForbiddenName])
    /// We looked where the CA would, and did not find the answers: all names that failed, in their order. The CA was not asked.
    case selfCheck([FailedCheck])
    /// The CA looked, and did not find what it has to: all names that failed, in their order.
    case validation([FailedName])
    /// The order became invalid for another reason.
    case orderFailed(Problem?)
    /// Our own deadline would pass while waiting for this. `retryAfter` in seconds, when the CA said when to come back.
    case timedOut(waitingFor: Step, retryAfter: Int? = nil)
    case signing(SigningError)
    case cancelled

    /// What not every CA can do.
    public enum Feature: Sendable, Equatable {
        case keyChange, revocation, renewalInfo
        /// No account is known, where one is needed.
        case requestWithoutAccount
    }

    /// What was wrong with a response.
    public enum Unexpected: Sendable, Equatable {
        case notJSON
        /// Another media type than the one that belongs there.
        case contentType(String)
        /// No certificate in PEM form, where one belongs.
        case notPEM
        /// Not the https URL that belongs there.
        case badLink
        /// An authorization for a name that was not ordered.
        case foreignName(String)
        case missing(String)
        case redirect
        case status
    }
}

/// A name that the CA could not validate.
public struct FailedName: Sendable, Equatable {
    public var name: String
    public var problem: Problem
    public init(name: String, problem: Problem) {
        self.name = name
        self.problem = problem
    }
}

/// The steps of an issuance, in their order.
public enum Step: String, Sendable, Codable, CaseIterable {
    case directory, account, order, authorizations, challenges, validation, finalize, certificate
}
