# What `cargo xtask serve` gives to workerd (docs/self-hosting.md). `xtask/src/workerd.rs` fills in the words
# between percent signs and writes the result to `run/postern.capnp` in the data folder, from which workerd is
# started; paths are relative to that folder, `embed`s to that file or absolute.
#
# Nothing here is a secret: variables come from workerd's environment.
#
# KV, queues and cron are workerd's own (`bundled`, docs/platform.md 13), each on objects of its own. A
# `uniqueKey` names a folder below `objects`, and objects' names depend on it: whoever changes one starts empty.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "page", assets = (path = "run/page", config = %PAGE%, userWorker = "postern")),
    (name = "postern", worker = .postern),
    (name = "kv", worker = .kv),
    (name = "queues", worker = .queues),
    (name = "cron", worker = .cron),
    (name = "objects", disk = (path = "objects", writable = true)),
    (name = "values", disk = (path = "values", writable = true)),
    # How receivers are reached. A name is looked up here, and only addresses of a kind that is allowed are
    # connected to: a public name that leads to a private address does not exist.
    (name = "receivers", network = (allow = %ALLOW%, tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "front", address = %ADDRESS%, service = "page", %PROTOCOL%)],
);

const postern :Workerd.Worker = (
  modules = [%MODULES%],
  compatibilityDate = %DATE%,
  compatibilityFlags = %FLAGS%,
  bindings = [
    (name = "ASSETS", service = (name = "page", entrypoint = "AssetWorker")),
    (name = "PROJECT", durableObjectNamespace = "Project"),
    (name = "WEBHOOKS", kvNamespace = (name = "kv", props = (json = "{\"namespace\":\"webhooks\"}"))),
    (name = "DELIVERIES", queue = (name = "queues", props = (json = "{\"queue\":\"deliveries\"}"))),
    (name = "RETRIES", queue = (name = "queues", props = (json = "{\"queue\":\"retries\"}"))),%VARIABLES%
  ],
  durableObjectNamespaces = [(className = "Project", uniqueKey = "postern-project", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
  globalOutbound = "receivers",
);

const kv :Workerd.Worker = (
  modules = [(name = "kv.js", bundled = "/workerd/kv.js")],
  compatibilityDate = %DATE%,
  bindings = [
    (name = "SHARD", durableObjectNamespace = "KVNamespace"),
    (name = "BLOBS", service = "values"),
  ],
  durableObjectNamespaces = [(className = "KVNamespace", uniqueKey = "postern-kv", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
);

const queues :Workerd.Worker = (
  modules = [(name = "queues.js", bundled = "/workerd/queues.js")],
  compatibilityDate = %DATE%,
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [
    (name = "SHARD", durableObjectNamespace = "QueueShard"),
    (name = "CONSUMERS", json = %CONSUMERS%),
    (name = "POSTERN", service = "postern"),
  ],
  durableObjectNamespaces = [(className = "QueueShard", uniqueKey = "postern-queues", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
);

const cron :Workerd.Worker = (
  modules = [(name = "cron.js", bundled = "/workerd/cron.js")],
  compatibilityDate = %DATE%,
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [
    (name = "SCHEDULE", durableObjectNamespace = "Schedule"),
    (name = "CRONS", json = %CRONS%),
    (name = "POSTERN", service = "postern"),
  ],
  durableObjectNamespaces = [(className = "Schedule", uniqueKey = "postern-cron", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
);
