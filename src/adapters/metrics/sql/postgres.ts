import { Socket } from 'node:net'
import type { Client, QueryConfig } from 'pg'
import type { Rows, SqlQuestion, SqlTrouble } from './rows.ts'

/** The server ends the statement; when even that does not come through, the connection is given up a little later. */
const LINGER_MS = 500

/** How messages name the server: never the user or the password. */
export function placeOf(url: string): string {
  const parsed = URL.parse(url)
  return parsed === null ? 'the PostgreSQL server' : `PostgreSQL at ${parsed.host}${parsed.pathname}`
}

/** One connection for one question: metrics are asked rarely, and a pooler between may have ended an idle one. */
export async function askPostgres(
  { url, text, values, timeoutMs }: SqlQuestion & { url: string },
  signal: AbortSignal | undefined,
): Promise<Rows> {
  if (!/^postgres(ql)?:\/\//.test(url))
    return trouble('refused', 'the secret is no address like postgresql://user@host/database')
  // Loaded only when it is used: most users have no PostgreSQL.
  const { Client: PgClient } = await import('pg')
  const socket = new Socket()
  const client = new PgClient({
    stream: () => socket,
    connectionString: url,
    application_name: 'sluice metrics',
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + LINGER_MS,
  })
  // Without a listener a connection that breaks would end the process.
  client.on('error', () => undefined)
  const ended = new AbortController()
  const given = signal === undefined ? [] : [signal]
  try {
    const rows = inReadOnlyTransaction(client, { text, values })
    return await Promise.race([
      rows,
      afterwards(timeoutMs + LINGER_MS, [...given, ended.signal]).then((why): Rows => ({ kind: why })),
    ])
  } catch (error) {
    return failureOf(error)
  } finally {
    ended.abort()
    await end(client, socket)
  }
}

/** `any` keeps nothing on the signal of the caller, which may live as long as the controller. */
function afterwards(ms: number, signals: readonly AbortSignal[]): Promise<'timed-out' | 'cancelled'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('timed-out'), ms)
    const stop = () => {
      clearTimeout(timer)
      resolve('cancelled')
    }
    const any = AbortSignal.any([...signals])
    if (any.aborted) stop()
    else any.addEventListener('abort', stop, { once: true })
  })
}

/** The extended protocol takes one statement only, so that no second one can end the transaction and write. */
async function inReadOnlyTransaction(
  client: Client,
  { text, values }: { text: string; values: (string | number)[] },
): Promise<Rows> {
  await client.connect()
  await client.query('BEGIN TRANSACTION READ ONLY')
  const question: QueryConfig & { queryMode: 'extended' } = { text, values, queryMode: 'extended' }
  const { rows } = await client.query<Record<string, unknown>>(question)
  await client.query('ROLLBACK')
  return { kind: 'rows', rows }
}

/** A server that hangs must not keep the connection: after a moment the socket is closed for good. */
async function end(client: Client, socket: Socket): Promise<void> {
  const closed = client.end().catch(() => undefined)
  const late = setTimeout(() => socket.destroy(), LINGER_MS)
  await closed
  clearTimeout(late)
}

function failureOf(error: unknown): Rows {
  if (!(error instanceof Error)) throw error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === '57014' || /timeout/i.test(error.message)) return { kind: 'timed-out' }
  if (/^28/.test(code) || code === '42501') return trouble('unauthorized', error.message)
  if (code === '25006') return trouble('writes', error.message)
  if (/^(42|22|0A|21|2B)/.test(code)) return trouble('refused', error.message)
  if (/^[0-9A-Z]{5}$/.test(code) && !code.startsWith('08')) return trouble('unwell', error.message)
  const reason = error instanceof AggregateError ? error.errors.map(String).join(', ') : error.message
  return trouble('away', reason)
}

const trouble = (what: SqlTrouble['what'], message: string): SqlTrouble => ({
  kind: 'trouble',
  what,
  message,
})
