import { parseArgs } from 'node:util'
import { formatDuration, parseDuration } from '../../core/shared/duration.ts'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { LoadOptions } from './load.ts'
import { type MixEntry, QUOTES_MIX, SHOP_MIX } from './mix.ts'

export const USAGE = `Sends requests at a steady rate and counts every answer that is lost.

node src/testkit/load/main.ts --url http://127.0.0.1:8080 --rate 200 --mix shop

  --url URL              where to send them (http)
  --rate N               requests per second (default 100)
  --mix shop|quotes|/p   the mix of an example service, or one path for GET (default shop)
  --connections KIND     keep-alive, fresh or both (default keep-alive)
  --timeout 10s          for each request
  --version-header NAME  header of the answer that names the version (default x-shop-version)
  --for 10m              ends after this time (at most and by default 30m)
  --json                 prints the summary as JSON on stdout, and the lines on stderr
`

export type LoadArguments = { kind: 'help' } | { kind: 'run'; options: LoadOptions; json: boolean }

/** A forgotten load client must not run for ever. */
const LONGEST_MS = 30 * 60_000
/** Longer than any request of the examples takes. */
const DEFAULT_TIMEOUT = '10s'
const MIXES: Record<string, readonly MixEntry[]> = { shop: SHOP_MIX, quotes: QUOTES_MIX }

/** Reads the command line; the failure is `LOAD_USAGE`. */
export function readArguments(argv: readonly string[]): Result<LoadArguments> {
  try {
    return ok(read(argv))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const remedy = 'Run it with --help to see all options.'
    return failed(problem('LOAD_USAGE', { message: error.message, remedy }))
  }
}

function read(argv: readonly string[]): LoadArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      url: { type: 'string' },
      rate: { type: 'string', default: '100' },
      mix: { type: 'string', default: 'shop' },
      connections: { type: 'string', default: 'keep-alive' },
      timeout: { type: 'string', default: DEFAULT_TIMEOUT },
      'version-header': { type: 'string', default: 'x-shop-version' },
      for: { type: 'string', default: formatDuration(LONGEST_MS) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return { kind: 'help' }
  const options: LoadOptions = {
    url: urlOf(values.url),
    ratePerSecond: rateOf(values.rate),
    mix: mixOf(values.mix),
    connections: connectionsOf(values.connections),
    timeoutMs: durationOf('--timeout', values.timeout),
    versionHeader: values['version-header'].toLowerCase(),
    durationMs: Math.min(durationOf('--for', values.for), LONGEST_MS),
  }
  return { kind: 'run', options, json: values.json }
}

function urlOf(text: string | undefined): string {
  if (text === undefined) throw new RangeError('--url is missing')
  if (!URL.canParse(text) || new URL(text).protocol !== 'http:')
    throw new RangeError(`--url must be an http address, not "${text}"`)
  return text
}

function rateOf(text: string): number {
  const rate = Number(text)
  if (!(rate > 0 && rate <= 100_000))
    throw new RangeError(`--rate must be a number from 0 to 100000, not "${text}"`)
  return rate
}

function mixOf(name: string): readonly MixEntry[] {
  if (name.startsWith('/')) return [{ method: 'GET', path: name, share: 1 }]
  const mix = MIXES[name]
  if (mix === undefined)
    throw new RangeError(`--mix must be ${Object.keys(MIXES).join(', ')} or a path, not "${name}"`)
  return mix
}

function connectionsOf(text: string): 'keep-alive' | 'fresh' | 'both' {
  if (text === 'keep-alive' || text === 'fresh' || text === 'both') return text
  throw new RangeError(`--connections must be keep-alive, fresh or both, not "${text}"`)
}

function durationOf(option: string, text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs === null || durationMs === 0)
    throw new RangeError(`${option} must be a duration like 30s or 10m, not "${text}"`)
  return durationMs
}
