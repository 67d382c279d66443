/// A kind of value: what people call it, and how it is read from text.
struct ValueKind<Value: OptionValue>: Sendable {
    let name: String
    var bounds: String?
    let read: @Sendable (String) throws(Problem.Kind) -> Value
}

extension ValueKind where Value == String {
    /// Any text. Control characters are refused for every option, before its kind is asked.
    static var text: Self { Self(name: "text") { $0 } }

    /// A host name with a dot in it, or `localhost`; IDNs are converted.
    ///
    /// - Parameter room: how many characters have to stay free for a prefix.
    static func domain(room: Int = 0) -> Self {
        Self(name: "domain", bounds: "at most \(HostName.highestLength - room) characters in its ASCII form") { text throws(Problem.Kind) in
            do throws(Problem.DomainProblem) {
                return try HostName.ascii(text, highestLength: HostName.highestLength - room)
            } catch {
                throw .notADomain(error)
            }
        }
    }

    /// An e-mail address; an IDN behind the @ is converted.
    static var email: Self {
        Self(name: "e-mail address") { text throws(Problem.Kind) in
            do throws(Problem.EmailProblem) {
                return try EmailAddress.normal(text)
            } catch {
                throw .notAnEmail(error)
            }
        }
    }

    /// A URI of one of these schemes.
    static func uri(_ schemes: String...) -> Self {
        Self(name: "web address", bounds: "begins with " + schemes.map { $0 == "mailto" ? "mailto:" : $0 + "://" }.orList) {
            text throws(Problem.Kind) in
            do throws(Problem.URIProblem) {
                return try WebAddress.checked(text, schemes: schemes)
            } catch {
                throw .notAURI(text, schemes: schemes, error)
            }
        }
    }

    /// A URI with `{token}` in it.
    static var invitationURL: Self {
        Self(name: "web address", bounds: "begins with https:// or http://, with {token} where the token goes") {
            text throws(Problem.Kind) in
            do throws(Problem.URIProblem) {
                return try WebAddress.checkedTemplate(text)
            } catch {
                throw .notAURI(text, schemes: ["https", "http"], error)
            }
        }
    }

    /// The path of a file.
    static var path: Self {
        Self(name: "path", bounds: "absolute: begins with /") { text throws(Problem.Kind) in
            guard text.hasPrefix("/") else { throw .notAPath(text) }
            return text
        }
    }

    /// An IPv4 or IPv6 address.
    static var address: Self {
        Self(name: "IP address") { text throws(Problem.Kind) in
            guard let address = IPAddress.normal(text) else { throw .notAnAddress(text) }
            return address
        }
    }

    /// An IP address with a port behind it, which may be left out: `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1`, `[2001:db8::1]:53`.
    static func endpoint(port: Int) -> Self {
        Self(name: "IP address", bounds: "with `:` and a port behind it unless that is \(port); IPv6 is then in brackets") {
            text throws(Problem.Kind) in
            guard let endpoint = IPAddress.endpoint(text, port: port) else { throw .notAnAddress(text) }
            return endpoint
        }
    }
}

extension ValueKind where Value == [String] {
    /// IP addresses, separated by commas or spaces.
    static var addresses: Self {
        Self(name: "IP addresses", bounds: "separated by commas or spaces") { text throws(Problem.Kind) in
            var addresses: [String] = []
            for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
                guard let address = IPAddress.normal(String(part)) else { throw .notAnAddress(String(part)) }
                if !addresses.contains(address) { addresses.append(address) }
            }
            guard !addresses.isEmpty else { throw .notAnAddress(text) }
            return addresses
        }
    }
}

extension ValueKind where Value == [String] {
    /// IP addresses and networks, separated by commas or spaces.
    static var networks: Self {
        Self(name: "IP addresses", bounds: "or networks such as 192.0.2.0/24, separated by commas or spaces") { text throws(Problem.Kind) in
            var networks: [String] = []
            for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
                guard let network = IPAddress.network(String(part)) else { throw .notAnAddress(String(part)) }
                if !networks.contains(network) { networks.append(network) }
            }
            guard !networks.isEmpty else { throw .notAnAddress(text) }
            return networks
        }
    }

    /// URIs of one of these schemes, separated by commas or spaces.
    static func uris(_ schemes: String...) -> Self {
        Self(name: "web addresses", bounds: "begin with " + schemes.map { $0 + "://" }.orList + ", separated by commas or spaces") {
            text throws(Problem.Kind) in
            var addresses: [String] = []
            for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
                do throws(Problem.URIProblem) {
                    let address = try WebAddress.checked(String(part), schemes: schemes)
                    if !addresses.contains(address) { addresses.append(address) }
                } catch {
                    throw .notAURI(String(part), schemes: schemes, error)
                }
            }
            guard !addresses.isEmpty else { throw .missing }
            return addresses
        }
    }
}

extension ValueKind where Value == Bool {
    /// On or off, in the spellings that people use.
    static var flag: Self {
        Self(name: "on/off", bounds: "on, yes, y, true, 1 or off, no, n, false, 0") { text throws(Problem.Kind) in
            switch text.lowercased() {
            case "on", "yes", "y", "true", "1": return true
            case "off", "no", "n", "false", "0": return false
            default: throw .notOneOf(text, ["on", "off"])
            }
        }
    }
}

extension ValueKind where Value == Int {
    /// A whole number within bounds.
    static func whole(_ range: ClosedRange<Int>, unit: String? = nil) -> Self {
        Self(name: "whole number", bounds: "\(range.lowerBound) to \(range.upperBound)" + (unit.map { " \($0)" } ?? "")) {
            text throws(Problem.Kind) in
            let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .notANumber(text) }
            guard let number = Int(text), range.contains(number) else {
                throw .outOfRange(text, lowest: "\(range.lowerBound)", highest: "\(range.upperBound)")
            }
            return number
        }
    }

    /// A port number.
    static var port: Self {
        let number = whole(1...65535)
        return Self(name: "port", bounds: number.bounds, read: number.read)
    }
}

extension ValueKind where Value == Double {
    /// A decimal number within bounds.
    static func decimal(_ range: ClosedRange<Double>, unit: String) -> Self {
        let (lowest, highest) = (range.lowerBound.plain, range.upperBound.plain)
        return Self(name: "number", bounds: "\(lowest) to \(highest) \(unit)") { text throws(Problem.Kind) in
            let allowed = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
            guard allowed, let number = Double(text) else { throw .notANumber(text) }
            guard range.contains(number) else { throw .outOfRange(text, lowest: lowest, highest: highest) }
            return number
        }
    }
}

extension ValueKind where Value: RawRepresentable<String> & CaseIterable {
    /// One of the values of an enumeration.
    static var choice: Self {
        let names = Value.allCases.map(\.rawValue)
        return Self(name: "choice", bounds: names.orList) { text throws(Problem.Kind) in
            guard let value = Value(rawValue: text.lowercased()) else { throw .notOneOf(text, names) }
            return value
        }
    }
}

extension [String] {
    /// `a`, `a or b`, `a, b or c`.
    var orList: String {
        guard let last, count > 1 else { return first ?? "" }
        return dropLast().joined(separator: ", ") + " or " + last
    }
}
