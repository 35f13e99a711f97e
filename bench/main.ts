import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { containers } from './containers/containers.ts'
import { engine } from './engine/engine.ts'
import { footprint } from './footprint/footprint.ts'
import { judgement } from './judgement/judgement.ts'
import { BENCHMARKS_HEAD } from './kit/benchmarks-head.ts'
import { cleanUpOnInterrupt } from './kit/cleanup.ts'
import { withSection, withSections } from './kit/document.ts'
import { commitName, machineLines } from './kit/machine.ts'
import { store, wire } from './kit/others.ts'
import { rowLine, sectionText } from './kit/report.ts'
import { type Bench, messageOf, orMissing, type Row } from './kit/row.ts'
import { loss } from './loss/loss.ts'
import { routers } from './routers/routers.ts'
import { verdict } from './verdict/verdict.ts'
import { latency } from './wire/latency-bench.ts'

// `npm run bench -- [name...] [--write] [--quick]`: runs the named benches, or all. No aim fails the command.

const BENCHES: readonly Bench[] = [
  ...[wire, routers, latency, store, engine, loss, verdict, footprint, containers, judgement],
]
const NAMES = BENCHES.map(({ name }) => name)
const DOCS = fileURLToPath(new URL('../docs', import.meta.url))
const USAGE = `npm run bench -- [${NAMES.join('|')} ...] [--write] [--quick]`
const USAGE_EXIT_CODE = 2

const print = (text: string): unknown => process.stdout.write(`${text}\n`)
const say = (text: string): unknown => print(`  ${text}`)

cleanUpOnInterrupt()
process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  const order = readOrder(argv)
  if (order === null) return USAGE_EXIT_CODE
  const commit = commitName()
  print(`commit ${commit}`)
  const sections = new Map<string, string>()
  for (const bench of order.benches) {
    const machine = machineLines(bench.measures)
    print([`\n${bench.title} (${bench.name})`, ...machine.map((line) => `  ${line}`)].join('\n'))
    const rows = await orMissing(bench.title, () => bench.run({ quick: order.quick, say }))
    print(rows.map(rowLine).join('\n'))
    const date = new Date().toISOString().slice(0, 10)
    const text = sectionText({ bench, rows, commit, date, machine })
    if (bench.document === 'benchmarks.md') sections.set(bench.name, text)
    // After each bench, so that one that hangs later costs only its own figures.
    if (order.write) {
      writePictures(rows)
      if (bench.document === 'benchmarks.md')
        edit(bench.document, (all) => withSections(BENCHMARKS_HEAD, all, NAMES, sections))
      else edit(bench.document, (all) => withSection(all, bench.name, text))
    }
  }
  return 0
}

type Order = { benches: readonly Bench[]; write: boolean; quick: boolean }

/** `null` after the reason was said. */
function readOrder(argv: readonly string[]): Order | null {
  try {
    const options = {
      write: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
    } as const
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options })
    const unknown = positionals.filter((name) => !NAMES.includes(name))
    if (unknown.length > 0) throw new RangeError(`There is no bench named ${unknown.join(', ')}.`)
    if (values.write && values.quick) throw new RangeError('--quick figures are not worth writing down.')
    const benches = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
    return { benches, ...values }
  } catch (error) {
    console.error(`${messageOf(error)}\nUsage: ${USAGE}`)
    return null
  }
}

function edit(document: string, change: (before: string) => string): void {
  const file = join(DOCS, document)
  writeFileSync(file, change(existsSync(file) ? readFileSync(file, 'utf8') : ''))
}

function writePictures(rows: readonly Row[]): void {
  for (const row of rows) if (row.kind === 'picture') writeFileSync(join(DOCS, 'images', row.file), row.svg)
}
