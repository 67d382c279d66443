import CertificateStore
import ChatServer
import Settings

extension Parts {
    /// Has somebody log in the way apps do: the whole way, which the looks every minute do not go.
    func answerLogin() async -> ControlAnswer {
        guard let endpoint = settings.endpoints.first(where: { $0.name == "xmpp_client" }) else {
            return .refusal(500, .init(error: "there is no port for apps"))
        }
        do throws(ChatServerError) {
            let account = try await chat.beginTrial()
            let question = LookJob.Question(
                name: "login", address: endpoint.address, host: endpoint.host,
                scene: .login(domain: settings.chatHost, username: account.username, password: account.password))
            let answer: ControlAnswer
            do throws(CertificateFailure) {
                let seen = try await keeper.program.look(LookJob(questions: [question], milliseconds: 15_000)).first
                answer =
                    seen?.verdict == .good
                    ? ControlAnswer(status: 200, json: Array("{}".utf8))
                    : .refusal(424, .init(error: "nobody can log in", cause: seen?.reason, tryThis: "look at what it says: `snikket logs prosody`"))
            } catch {
                answer = .refusal(424, .init(error: error.error, cause: error.cause, tryThis: error.try))
            }
            // It goes by itself when this does not work.
            try? await chat.endTrial()
            return answer
        } catch {
            return .refusal(
                424, .init(error: "nobody can log in", cause: "no account can be made for a trial: \(error)", tryThis: "snikket logs prosody"))
        }
    }
}
