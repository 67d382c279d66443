import Testing

@testable import Settings

@Suite("the settings without their secrets")
struct WithheldSecretTests {
    private static let text = """
        \u{FEFF}# smtp://user:password@mail.example\r
        SNIKKET_DOMAIN = chat.example # and smtp://user:password@mail.example
          #SNIKKET_SMTP_URL=smtp://user:password@mail.example

        export SNIKKET_SMTP_URL='smtp://user:password@mail.example'
        SNIKKET_SITE_NAME="a \\"kitchen\\" # of ours"
        SNIKKET_TWEAK_TURNSERVER_SECRET=password
        """

    @Test("no secret is left, neither in a comment nor in an assignment that is commented out; lines keep their numbers")
    func withheld() {
        #expect(
            Settings.text(Self.text, hidingSecretsBut: []) == """

                SNIKKET_DOMAIN=chat.example



                SNIKKET_SITE_NAME="a \\"kitchen\\" # of ours"
                SNIKKET_TWEAK_TURNSERVER_SECRET=withheld
                """)
    }

    @Test("one that somebody needs is in their copy, and what remains is read as it was")
    func kept() {
        let copy = Settings.text(Self.text, hidingSecretsBut: [Settings.relaySecretOption])
        #expect(!copy.contains("user:password"))
        let read = ConfigurationFile(parsing: copy)
        #expect(read.problems.isEmpty)
        #expect(read.assignments == ConfigurationFile(parsing: Self.text).assignments.filter { $0.name != "SNIKKET_SMTP_URL" })
    }
}
