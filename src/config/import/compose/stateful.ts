import type { Mount } from './volumes.ts'

/** Images that keep the state of others, by the last part of their name. */
const DATABASES =
  'postgres postgresql postgis timescaledb mysql mariadb percona cockroach mongo mongodb couchdb cassandra scylla clickhouse-server influxdb neo4j server surrealdb arangodb questdb rethinkdb'
const STORES =
  'redis valkey keydb dragonfly memcached etcd consul vault elasticsearch opensearch solr meilisearch typesense qdrant weaviate minio'
const QUEUES = 'rabbitmq kafka cp-kafka redpanda nats zookeeper cp-zookeeper activemq-classic pulsar'

const kind = (names: string, what: string) => names.split(' ').map((name) => [name, what] as const)
const KEEPERS = new Map([
  ...kind(DATABASES, 'a database'),
  ...kind(STORES, 'a store'),
  ...kind(QUEUES, 'a queue'),
])
/** `mcr.../mssql/server` is one; a `server` of somebody else is not. */
const ONLY_BELOW = new Map([['server', 'mssql']])

/**
 * What a well-known image is when it holds state that two versions cannot share, or `null`.
 *
 * @example keeperOf('registry.local/library/postgres:16-alpine') // 'a database'
 */
export function keeperOf(image: string): string | null {
  const path = image
    .replace(/@.*$/, '')
    .replace(/:[^/]*$/, '')
    .split('/')
  const name = path.at(-1)?.toLowerCase() ?? ''
  const above = ONLY_BELOW.get(name)
  if (above !== undefined && path.at(-2) !== above) return null
  return KEEPERS.get(name) ?? null
}

/** Names that people give to a service which is one of those, whatever its image is called. */
const NAMED_SO =
  /^(db|database|sql|datastore|store|cache|queue|broker|search|(?:postgres|mysql|mariadb|mongo|redis|rabbitmq|kafka|elastic)[a-z0-9_-]*)$/i

/** One of those by its name, when it keeps something in a volume of its own as well. */
export function keeperByName(service: string, mounts: readonly Mount[]): string | null {
  const keeps = mounts.some(({ kind, source, readOnly }) => kind === 'volume' && source !== '' && !readOnly)
  return keeps && NAMED_SO.test(service) ? 'by its name a store of data' : null
}

/** Why a service that keeps state is left with compose. */
export function whyLeft(
  what: string,
  { image, mounts }: { image: string; mounts: readonly Mount[] },
): string {
  const volumes = mounts
    .filter(({ kind, readOnly }) => kind !== 'other' && !readOnly)
    .map(({ source, target }) => source || target)
  const keeps =
    volumes.length === 0
      ? 'keeps what others gave it'
      : `keeps its state in ${[...new Set(volumes)].join(', ')}`
  return `It is ${what} (${image}) and ${keeps}, which two versions side by side cannot share. Leave it with compose.`
}
