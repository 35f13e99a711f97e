import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cleanUpOnInterrupt } from '../kit/cleanup.ts'
import { engineOnce } from '../kit/docker.ts'
import { withSections } from '../kit/document.ts'
import { commitName, machineLines } from '../kit/machine.ts'
import type { Cost } from '../kit/phased-load.ts'
import { messageOf } from '../kit/row.ts'
import { installPm2, PM2_VERSION } from '../loss/pm2-install.ts'
import { runPm2 } from '../loss/pm2-run.ts'
import { type Cell, cellsOf, type Filter, ROUTERS, STRATEGIES, TARGETS } from './cells.ts'
import {
  CHAPTERS,
  chapterOf,
  isClean,
  type Line,
  MATRIX_HEAD,
  type PeerLine,
  peersChapter,
} from './document.ts'
import { runNginxByHand } from './nginx-by-hand.ts'
import { type CellResult, type Engines, LOAD, runCell } from './run-cell.ts'

// `npm run matrix [-- --quick] [--strategy A,B] [--target C] [--router D]`: real releases under load, one line each.
// Ends with 0 only if no line lost a request or a job. A run of all strategies and routers writes the chapter of each target; one with another filter, or a quick one, says its lines only.

const DOCUMENT = fileURLToPath(new URL('../../docs/matrix.md', import.meta.url))
const USAGE = `npm run matrix -- [--quick] [--strategy A,B] [--target C] [--router D]
  strategies: ${STRATEGIES.map(({ name }) => name).join(', ')}
  targets: ${TARGETS.join(', ')}
  routers: ${ROUTERS.join(', ')}`
const USAGE_EXIT_CODE = 2

const print = (text: string): unknown => process.stdout.write(`${text}\n`)

cleanUpOnInterrupt()
process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  const filter = readFilter(argv)
  if (filter === null) return USAGE_EXIT_CODE
  const lines: Line[] = []
  const engines = engineOnce()
  try {
    for (const cell of cellsOf(filter)) lines.push(await lineOf(cell, engines))
  } finally {
    await engines.close()
  }
  if (isWhole(filter)) await write(lines)
  return sumUp(lines)
}

/** Each target that was measured as a whole has its chapter; the peers are run beside processes. */
async function write(lines: readonly Line[]): Promise<void> {
  const measured = {
    date: new Date().toISOString().slice(0, 10),
    commit: commitName(),
    machine: machineLines('program'),
  }
  const chapters = new Map<string, string>()
  for (const target of TARGETS) {
    const own = lines.filter(({ cell }) => cell.target === target)
    if (own.length > 0) chapters.set(target, chapterOf(target, own, measured))
  }
  if (chapters.has('processes')) chapters.set('peers', peersChapter(await peers(), measured))
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : ''
  writeFileSync(DOCUMENT, withSections(MATRIX_HEAD, before, CHAPTERS, chapters))
}

/** The last line is the sum, as every suite says it. */
function sumUp(lines: readonly Line[]): number {
  const clean = lines.filter(isClean)
  const absent = clean.flatMap((line) => (line.kind === 'not-possible' ? [line] : []))
  for (const { cell, why } of absent)
    print(`  skipped: ${cell.strategy}, ${cell.target}, behind ${cell.router}: ${why}`)
  const failed = lines.length - clean.length
  print(`${clean.length - absent.length} passed, ${failed} failed, ${absent.length} skipped`)
  return failed === 0 ? 0 : 1
}

async function lineOf(cell: Cell, engines: Engines): Promise<Line> {
  const strategy = STRATEGIES.find(({ name }) => name === cell.strategy)
  if (strategy === undefined) throw new RangeError(`There is no strategy named ${cell.strategy}.`)
  const name = `${cell.strategy}, ${cell.target}, ${cell.router}`
  try {
    const result = await runCell(strategy, cell, engines)
    print(`${name}: ${told(result)}`)
    return { cell, strategy, ...result }
  } catch (error) {
    print(`${name}: not measured: ${messageOf(error)}`)
    return { cell, strategy, kind: 'broken', why: messageOf(error) }
  }
}

function told(result: CellResult): string {
  if (result.kind === 'not-possible') return `not possible: ${result.why}`
  const { deploy, rollback, switchMs, rollbackMs, peak } = result
  const lost = (cost: Cost): string =>
    [
      `${cost.lost} of ${cost.sent} lost`,
      ...(cost.sentAgain === 0 ? [] : [`${cost.sentAgain} sent again`]),
      ...(cost.closed === 0 ? [] : [`${cost.closed} more turned away while closed, as declared`]),
      ...cost.samples.filter((sample) => !sample.includes('SERVICE_CLOSED')).slice(0, 3),
    ].join(' | ')
  return `deploy ${lost(deploy)}; rollback ${lost(rollback)}; ${deploy.brokenSockets + rollback.brokenSockets} sockets broken; switch ${switchMs} ms, rollback ${rollbackMs} ms; ${peak.counted} instances of ${peak.planned} planned`
}

async function peers(): Promise<PeerLine[]> {
  return [
    await peer(`pm2 reload (PM2 ${PM2_VERSION}, as its documentation advises), twice`, async () => {
      const pm2 = await installPm2()
      try {
        return await runPm2(pm2, 'tuned', LOAD)
      } finally {
        await pm2.remove()
      }
    }),
    await peer('nginx -s reload by hand, then SIGTERM to the old instances', runNginxByHand),
  ]
}

async function peer(name: string, measure: () => Promise<Cost>): Promise<PeerLine> {
  try {
    const cost = await measure()
    print(`${name}: ${cost.lost} of ${cost.sent} lost, ${cost.brokenSockets} sockets broken`)
    return { name, kind: 'measured', cost }
  } catch (error) {
    return { name, kind: 'broken', why: messageOf(error) }
  }
}

function isWhole({ strategies, routers, quick }: Filter): boolean {
  return !quick && strategies.length + routers.length === 0
}

/** `null` after the reason was said. */
function readFilter(argv: readonly string[]): Filter | null {
  try {
    const options = {
      quick: { type: 'boolean', default: false },
      strategy: { type: 'string', default: '' },
      target: { type: 'string', default: '' },
      router: { type: 'string', default: '' },
    } as const
    const { values } = parseArgs({ args: [...argv], options })
    return {
      strategies: known(
        'strategy',
        values.strategy,
        STRATEGIES.map(({ name }) => name),
      ),
      targets: known('target', values.target, TARGETS),
      routers: known('router', values.router, ROUTERS),
      quick: values.quick,
    }
  } catch (error) {
    console.error(`${messageOf(error)}\nUsage: ${USAGE}`)
    return null
  }
}

function known(what: string, text: string, all: readonly string[]): string[] {
  const asked = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const unknown = asked.filter((one) => !all.includes(one))
  if (unknown.length > 0) throw new RangeError(`There is no ${what} named ${unknown.join(', ')}.`)
  return asked
}
