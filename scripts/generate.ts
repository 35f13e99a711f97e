import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configurationFiles } from './generators/configuration.ts'
import { errorFiles } from './generators/errors.ts'
import type { GeneratedFile } from './generators/generated-file.ts'
import { judgeFiles } from './generators/judge.ts'
import { metricFiles } from './generators/metrics.ts'
import { referenceFiles } from './generators/reference.ts'
import { scenarioFiles } from './generators/scenarios.ts'
import { simulationFiles } from './generators/simulation.ts'

// Writes every generated file. With --check it writes nothing and exits 1 if one is out of date.
// A new generator exports a list of files and is added here.
const GENERATED: GeneratedFile[] = [
  ...configurationFiles,
  ...errorFiles,
  ...judgeFiles,
  ...metricFiles,
  ...referenceFiles,
  ...scenarioFiles,
  ...simulationFiles,
]

const root = fileURLToPath(new URL('..', import.meta.url))
const checkOnly = process.argv.includes('--check')

for (const { path, content } of GENERATED) {
  const file = join(root, path)
  const wanted = await content()
  if (readIfThere(file) === wanted) continue
  if (checkOnly) {
    console.error(`${path} is out of date. Run "npm run generate" and commit it.`)
    process.exitCode = 1
    continue
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, wanted)
  console.log(`wrote ${path}`)
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
