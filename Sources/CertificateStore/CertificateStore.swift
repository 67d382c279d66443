public import DurableFiles
internal import FoundationEssentials
internal import Glibc

/// The certificates of the appliance on disk: `current` is the one in use, and changes in one step. No crypto here: what is
/// put in has been checked by the certificate program.
public struct CertificateStore: Sendable {
    /// `Locations.certificates`.
    public let folder: String
    /// Whose folder it is: what is done in there is done with this account's rights.
    let owner: Account?

    /// - Parameter owner: nil: whoever runs this.
    public init(folder: String, owner: Account? = nil) {
        self.folder = folder
        self.owner = owner
    }

    /// A certificate and its key, in place.
    public struct Stored: Sendable, Equatable {
        public var record: CertificateRecord
        /// PEM: the certificate, then its issuers.
        public var fullChain: String
        /// PEM, mode 0600.
        public var privateKey: String
    }

    /// The certificate in use; nil when there is none yet.
    public func current() throws(StoreError) -> Stored? {
        try inside { () throws(FileError) in try stored() }
    }

    /// The certificate with this serial, in use or the one before; nil when its files are gone.
    public func pair(serial: String) throws(StoreError) -> Stored? {
        try inside { () throws(FileError) in
            for name in PairFolder(path: folder).units {
                if let stored = try stored(in: name), stored.record.serial == serial { return stored }
            }
            return nil
        }
    }

    private func stored() throws(FileError) -> Stored? {
        guard let name = SymbolicLink.target(of: "\(folder)/current") else { return nil }
        return try stored(in: name)
    }

    private func stored(in name: String) throws(FileError) -> Stored? {
        let unit = "\(folder)/\(name)"
        let (chain, key) = ("\(unit)/\(PairFolder.chainName)", "\(unit)/\(PairFolder.keyName)")
        var facts = stat()
        // Without a record it is not from us, and as good as none.
        guard let bytes = try File.readIfThere("\(unit)/\(PairFolder.recordName)"), stat(chain, &facts) == 0, stat(key, &facts) == 0 else {
            return nil
        }
        // A damaged one too: then a new certificate is had, which mends it.
        guard let record = try? JSONDecoder().decode(CertificateRecord.self, from: Data(bytes)) else { return nil }
        return Stored(record: record, fullChain: chain, privateKey: key)
    }

    /// The certificate in use, if it holds every one of the names and has not ended. `now` in seconds since 1970.
    public func current(covering names: [String], now: Int) throws(StoreError) -> Stored? {
        guard let stored = try current(), stored.record.covers(names), stored.record.notAfter > now else { return nil }
        return stored
    }

    /// Puts a certificate into use. The caller holds the ``lock()``.
    @discardableResult
    public func install(chain: [UInt8], key: [UInt8], record: CertificateRecord) throws(StoreError) -> Stored {
        let bytes = try encoded(record)
        try inside { () throws(FileError) in
            try PairFolder(path: folder).replace(chain: chain, key: key, record: bytes, serial: record.serial)
        }
        guard let stored = try current() else { throw .damaged(path: folder) }
        return stored
    }

    /// Copies the certificate and its key into a server's own folder, as `fullchain.pem` and `privkey.pem`.
    /// Both change together. Says whether they are others than before: then the server has to load them.
    ///
    /// - Parameter reader: who else than us may read them, through its group, and change neither; nil: nobody.
    public func deploy(_ stored: Stored, to destination: String, reader: Account?) throws(StoreError) -> Bool {
        let (chain, key) = try inside { () throws(FileError) in (try File.read(stored.fullChain), try File.read(stored.privateKey)) }
        // One that we cannot read is not ours.
        let present = ["\(destination)/\(PairFolder.chainName)", "\(destination)/\(PairFolder.keyName)"].map { try? File.read($0) }
        if present == [chain, key] { return false }
        // A server must not be able to have its files written elsewhere, by us who may write everywhere.
        guard SymbolicLink.target(of: destination) == nil else { throw .file(FileError(.write, destination, errno: ENOTDIR)) }
        let record = try encoded(stored.record)
        try onDisk { () throws(FileError) in
            try PairFolder(path: destination, folderMode: 0o711, reader: reader).replace(
                chain: chain, key: key, record: record, serial: stored.record.serial)
        }
        return true
    }

    /// What is done in the folder.
    func inside<Result>(_ body: () throws(FileError) -> Result) throws(StoreError) -> Result {
        try onDisk { () throws(FileError) in try File.acting(as: owner, on: folder, body) }
    }
}

/// JSON, one line, keys in order.
func encoded(_ value: some Encodable) throws(StoreError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else { throw .damaged(path: "") }
    return Array(data)
}
