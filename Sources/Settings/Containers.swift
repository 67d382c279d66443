extension Settings {
    /// The appliance in containers, one for each server (`snikket render --target compose`).
    public struct Containers: Sendable, Equatable {
        /// How they are reached.
        public var network: Network
        /// The image that every one of them runs; nil: the one of this version, as `packaging/image` calls it.
        public var image: String?

        public init(network: Network, image: String? = nil) {
            self.network = network
            self.image = image
        }

        /// How containers are reached.
        public enum Network: String, Sendable, CaseIterable {
            /// A network of their own; the engine passes on their ports. Only TURN, which needs thousands of ports, has the machine's network.
            case bridge
            /// The machine's own network for all.
            case host
        }
    }
}

extension Settings.Containers.Network: OptionValue {}
