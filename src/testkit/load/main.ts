import { readArguments, USAGE } from './arguments.ts'
import { type LoadOptions, startLoad } from './load.ts'
import type { LoadStats } from './tally.ts'

/** As in the table of exit codes: usage error or bad input. */
const USAGE_EXIT_CODE = 2
const LINE_INTERVAL_MS = 1000

const parsed = readArguments(process.argv.slice(2))
if (parsed.kind === 'failed') {
  process.stderr.write(`${parsed.problem.message}. ${parsed.problem.remedy}\n`)
  process.exitCode = USAGE_EXIT_CODE
} else if (parsed.value.kind === 'help') process.stdout.write(USAGE)
else await run(parsed.value.options, parsed.value.json)

async function run(options: LoadOptions, json: boolean): Promise<void> {
  const load = startLoad(options)
  const lines = json ? process.stderr : process.stdout
  let before = load.stats()
  const timer = setInterval(() => {
    const now = load.stats()
    lines.write(`${lineOf(before, now)}\n`)
    before = now
  }, LINE_INTERVAL_MS)
  process.once('SIGINT', () => void load.stop())
  process.once('SIGTERM', () => void load.stop())
  const stats = await load.finished
  clearInterval(timer)
  process.stdout.write(json ? `${JSON.stringify(stats)}\n` : summaryOf(stats))
}

/** `12s  200/s  errors 5  lost 0  p99 7 ms  |  1.0.0 95%  1.1.0 5%`: rates and shares of the last second, the rest in all. */
function lineOf(before: LoadStats, now: LoadStats): string {
  const answered = now.answered - before.answered
  const shares = Object.entries(now.byVersion)
    .map(([version, count]) => ({ version, count: count - (before.byVersion[version] ?? 0) }))
    .filter(({ count }) => count > 0)
    .map(({ version, count }) => `${version} ${Math.round((100 * count) / answered)}%`)
  const parts = [
    `${Math.round(now.elapsedMs / 1000)}s`,
    `${answered}/s`,
    `errors ${now.errors}`,
    `lost ${now.lost.count}`,
    `p99 ${millisecondsOf(now.latency.p99Ms)}`,
    ...(now.notSent > 0 ? [`not sent ${now.notSent}`] : []),
    '|',
    ...shares,
  ]
  return parts.join('  ')
}

function summaryOf(stats: LoadStats): string {
  const { lost, latency } = stats
  const kinds = Object.entries(lost.byKind).map(([kind, count]) => `${count} ${kind}`)
  const lines = [
    `${stats.sent} sent, ${stats.answered} answered, ${stats.errors} errors, ${lost.count} lost, ${stats.notSent} not sent.`,
    `Latency p50 ${millisecondsOf(latency.p50Ms)}, p95 ${millisecondsOf(latency.p95Ms)}, p99 ${millisecondsOf(latency.p99Ms)}, slowest ${millisecondsOf(latency.maxMs)}.`,
    ...(lost.count > 0 ? [`Lost: ${kinds.join(', ')}.`] : []),
    ...lost.samples.map(({ at, message }) => `  ${new Date(at).toISOString()}  ${message}`),
  ]
  return `${lines.join('\n')}\n`
}

function millisecondsOf(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(1)} ms`
}
