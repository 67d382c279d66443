import DurableFiles

extension ServerFacts {
    /// Whether this machine has any IPv6 address, loopback's included (proc(5): net/if_inet6).
    public static func machineHasIPv6() -> Bool {
        (try? File.own("/proc/net/if_inet6")).map { !$0.isEmpty } ?? false
    }
}
