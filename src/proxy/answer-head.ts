import type { IncomingHttpHeaders } from 'node:http'

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** Ours to say: an instance that says it would be taken for the data plane. */
const LOST_HEADER = 'sluice-error'

/** What the answer to this client may contain. */
export type AnswerRules = { trailers: boolean }

/** The headers of an instance's answer that belong to the client, flat: name, value, name, value. */
export function answerHeaders(headers: IncomingHttpHeaders, { trailers }: AnswerRules): string[] {
  const flat: string[] = []
  const named = namedByConnection(headers.connection)
  for (const name in headers) {
    if (HOP_BY_HOP.has(name) || name === LOST_HEADER || named?.has(name)) continue
    // A trailer can only follow a chunked body; announced elsewhere it is a lie that Node refuses to write.
    if (name === 'trailer' && !(trailers && headers['content-length'] === undefined)) continue
    const value = headers[name]
    if (typeof value === 'string') flat.push(name, value)
    else if (value !== undefined) for (const one of value) flat.push(name, one)
  }
  return flat
}

/**
 * Adds headers of ours. No cookie goes on an answer that is meant for everybody: a cache that others share would hand one
 * user's to all of them.
 */
export function addExtra(flat: string[], extra: readonly string[], headers: IncomingHttpHeaders): void {
  if (extra[0] === 'set-cookie' && isForEverybody(headers['cache-control'])) return
  flat.push(...extra)
}

const isForEverybody = (cacheControl: string | undefined): boolean =>
  cacheControl !== undefined && /\b(public|s-maxage)\b/i.test(cacheControl)

export function isEventStream(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type']
  return type?.toLowerCase().startsWith('text/event-stream') === true
}

function namedByConnection(connection: string | undefined): Set<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((token) => token.trim()),
  )
}
