public import Settings

extension ServerFacts {
    /// The files of every server that the appliance runs. Nothing is read but the templates, nothing is written.
    ///
    /// - Throws: ``ServerConfigsError/template(_:)``, ``ServerConfigsError/file(_:)``.
    public func files() throws(ServerConfigsError) -> [RenderedFile] {
        var files: [RenderedFile] = []
        for service in Service.allCases { files += try self.files(of: service) }
        return files
    }

    /// The files of one server; none for the portal, and none for a TURN server that is not ours.
    public func files(of service: Service) throws(ServerConfigsError) -> [RenderedFile] {
        switch service {
        case .prosody: try [prosodyFile()]
        case .nginx: try nginxFiles()
        case .coturn: settings.turn.enabled ? try [coturnFile()] : []
        case .portal: []
        }
    }

    /// The main file of a server: what its program is started with.
    public func configurationFile(of service: Service) -> String? {
        switch service {
        case .prosody: locations.run(of: service) + "/prosody.cfg.lua"
        case .nginx: locations.run(of: service) + "/nginx.conf"
        case .coturn: locations.run(of: service) + "/turnserver.conf"
        case .portal: nil
        }
    }
}
