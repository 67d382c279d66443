extension Settings.Option {
    static let containers: [Self] = [
        Self(
            "SNIKKET_CONTAINER_NETWORK", .choice, .value("bridge"), .containers, into: \.settings.containers.network,
            "With containers, how they are reached: bridge gives them a network of their own, and the machine's to the TURN server only, which needs thousands of ports; host gives all of them the machine's network, for engines whose bridge hides the addresses of clients or has no IPv6."
        ),
        Self(
            "SNIKKET_CONTAINER_IMAGE", .text, .none("localhost/snikket:VERSION, as packaging/image calls it"), .containers,
            into: \.settings.containers.image, "With containers, the image that they run."),
    ]
}
