module.exports = new Proxy({}, { get: (_, name) => (name === "StoreType" ? {} : class {}) });
