internal import DNS
public import Settings

/// The address under which the internet knows a machine behind NAT: what DNS says of the name that apps are given for calls.
public struct RelayAddress: Sendable {
    private let settings: Settings

    public init(settings: Settings) { self.settings = settings }

    /// nil when there is none to find: the machine has a public address itself, none is needed or DNS does not tell. Takes some seconds at most.
    public func find() async -> String? {
        guard settings.turn.enabled, settings.ipv4, settings.turn.externalAddress == nil, !settings.isLoopbackOnly else { return nil }
        guard MachineAddresses.current().isBehindNAT else { return nil }
        let host = settings.turn.host
        let name = await onThread { PublishedName(host, from: Resolver(ResolverChoice().servers)) }
        return name.four.first { AddressKind($0) == .global }
    }
}
