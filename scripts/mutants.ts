import { parseArgs } from 'node:util'
import type { Mutant } from './mutants/catalogue.ts'
import { readKillers, readMutants, writeKillers } from './mutants/catalogue.ts'
import type { Hunted } from './mutants/pool.ts'
import { huntAll } from './mutants/pool.ts'
import { showMutant } from './mutants/show.ts'
import type { Job } from './mutants/worker.ts'

// `npm run mutants` searches for each mutant the first seed that sees it: [--only 07,12] [--seeds N] [--from S] [--workers W].
// `npm run mutants -- --replay` runs the recorded seeds. `npm run mutants -- --only 07 --trace [--seed N]` shows one.
// The last line is the sum, the exit code is 1 when a mutant survived.

/** A recorded seed that sees nothing any more is looked for again among so many that follow it. */
const SEARCH_AGAIN = 300

const { values } = parseArgs({
  options: {
    replay: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seeds: { type: 'string', default: '5000' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    trace: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
})

const mutants = readMutants(values.only === '' ? [] : values.only.split(','))
const killers = readKillers()
if (values.trace) await show()
else process.exitCode = (await run()) ? 0 : 1

async function run(): Promise<boolean> {
  const began = performance.now()
  let [passed, failed] = [0, 0]
  const say = (mark: string, name: string, text: string): void =>
    console.log(`${mark.padEnd(9)} ${name}: ${text}`)
  for (const { name, patch, mutated } of mutants)
    if ('why' in mutated) {
      failed += 1
      say('BROKEN', name, `the patch does not fit ${patch.file}: ${mutated.why}`)
    }
  await huntAll(mutants.flatMap(jobOf), {
    workers: Number(values.workers),
    onDone: ({ name }, hunted) => {
      if (hunted.found === null) failed += 1
      else passed += 1
      const { mark, text } = verdictOn(name, hunted)
      say(mark, name, text)
      note(name, hunted)
    },
  })
  console.log(`${((performance.now() - began) / 1000).toFixed(1)} s`)
  console.log(`${passed} passed, ${failed} failed, 0 skipped`)
  return failed === 0
}

function jobOf({ name, patch, mutated }: Mutant): Job[] {
  if ('why' in mutated) return []
  const known = killers[name]?.seed ?? null
  const seeds =
    values.replay && known !== null
      ? [
          { from: known, count: 1 },
          { from: known + 1, count: SEARCH_AGAIN },
        ]
      : [{ from: Number(values.from), count: values.replay ? SEARCH_AGAIN : Number(values.seeds) }]
  return [{ name, file: patch.file, store: patch.store, source: mutated.source, seeds }]
}

function verdictOn(name: string, { found, tried, unfit, hung }: Hunted): { mark: string; text: string } {
  if (hung) return { mark: 'HANGS', text: 'a seed does not end' }
  if (found === null)
    return {
      mark: 'SURVIVED',
      text: `${tried} seeds saw nothing${unfit === 0 ? '' : `, ${unfit} of them fail without it, too`}`,
    }
  const isRecorded = killers[name]?.seed === found.seed
  const text = `seed ${found.seed}: ${found.rule}`
  return !values.replay || isRecorded
    ? { mark: 'killed', text }
    : {
        mark: 'killed',
        text: `${text} (re-recorded needed: seed ${killers[name]?.seed ?? 'none'} holds; npm run mutants)`,
      }
}

/** A search writes down what it found as soon as it found it; a replay changes nothing. */
function note(name: string, { found }: Hunted): void {
  if (values.replay) return
  delete killers[name]
  if (found !== null) killers[name] = found
  const names = new Set(readMutants().map((mutant) => mutant.name))
  for (const key of Object.keys(killers)) if (!names.has(key)) delete killers[key]
  writeKillers(killers)
}

async function show(): Promise<void> {
  for (const mutant of mutants)
    await showMutant(mutant, Number(values.seed ?? killers[mutant.name]?.seed ?? 1))
}
